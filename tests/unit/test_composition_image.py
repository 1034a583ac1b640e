import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pymatgen.core import Element

import compute_composition_statistics
import draw_composition_images
import fit_grey_levels
from draw_composition_legend import main as draw_legend
from draw_composition_legend import pixel_map
from polyfacet.facets.compimage.element_table import check_elements, write_elements
from polyfacet.facets.compimage.grey_levels import GreyLevels
from polyfacet.facets.compimage.image import arrange, magnify
from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import composition_statistics
from polyfacet.materials.stage_tables import COMPOSITION_IMAGES
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.runtime.rejects import REJECTS
from polyfacet.splits.parts import SPLIT


def column_of(values):
    """Return statistics (compositions, 7, 56), all 0 except the mean of the first property."""
    statistics = np.zeros((len(values), 7, 56))
    statistics[:, 0, 0] = values
    return statistics


def test_statistics_are_at_their_positions_in_a_block():
    values = np.zeros((1, 7, 56), dtype=np.uint8)
    values[0, :, 8] = range(1, 8)  # ave var gmean hmean max min sum of the second block of the second row
    picture = arrange(values, "fixed")[0]
    assert picture.shape == (24, 21)
    assert picture[3:6, 3:6].tolist() == [[7, 0, 2], [3, 1, 4], [5, 0, 6]]
    assert np.count_nonzero(picture) == 7


def test_published_layout_is_the_wide_picture_reshaped_to_lines_of_21():
    values = np.random.default_rng(0).integers(0, 256, (2, 7, 56), dtype=np.uint8)
    wide = np.zeros((2, 21, 24), dtype=np.uint8)
    for number in range(56):
        row, place = 3 * (number // 8), 3 * (number % 8)
        ave, var, gmean, hmean, high, low, total = values[:, :, number].T
        wide[:, row, place], wide[:, row, place + 2] = total, var
        wide[:, row + 1, place : place + 3] = np.stack([gmean, ave, hmean], axis=1)
        wide[:, row + 2, place], wide[:, row + 2, place + 2] = high, low
    assert np.array_equal(arrange(values, "mcvn2022").reshape(2, -1), wide.reshape(2, -1))


@pytest.mark.parametrize("layout", ["fixed", "mcvn2022"])
def test_legend_names_every_statistic_once(layout):
    properties, statistics = pixel_map(layout)
    pairs = list(zip(properties.flat, statistics.flat, strict=True))
    assert {pair for pair in pairs if pair[1] >= 0} == {(p, s) for p in range(56) for s in range(7)}
    assert sorted(p for p, s in pairs if s < 0) == sorted([*range(56), *range(56)])


def test_grey_levels_round_half_to_even_and_clip_outside_the_fitted_range():
    levels = GreyLevels.fit(column_of([0.0, 510.0]))
    grey = levels.grey(column_of([1.0, 3.0, 5.0, -7.0, 999.0, np.inf, np.nan]))[:, 0, 0]
    assert grey.tolist() == [0, 2, 2, 0, 255, 255, 0]


def test_tie_up_to_floating_point_error_is_rounded_as_a_tie():
    # (0.3 - 0.1) / (0.5 - 0.1) is below one half by an ulp; 127.5 rounds to 128.
    levels = GreyLevels.fit(column_of([0.1, 0.5]))
    assert levels.grey(column_of([0.3]))[0, 0, 0] == 128


def test_columns_without_contrast_are_black():
    statistics = np.zeros((3, 7, 56))
    statistics[:, 1, 1] = [5.0, 5.0 + 1e-14, 5.0]  # rounding
    statistics[:, 2, 2] = np.nan
    statistics[:, 3, 3] = [1.0, np.inf, 2.0]
    assert not GreyLevels.fit(statistics).grey(statistics).any()


def test_missing_values_are_black_and_do_not_affect_their_column():
    statistics = column_of([1.0, np.nan, 3.0])
    assert GreyLevels.fit(statistics).grey(statistics)[:, 0, 0].tolist() == [0, 0, 255]


def test_saved_grey_levels_are_the_same_when_loaded(tmp_path):
    statistics = np.random.default_rng(1).normal(size=(5, 7, 56))
    statistics[:, 4, 9] = 2.0
    levels = GreyLevels.fit(statistics)
    levels.save(tmp_path / "grey.json", fit="train")
    loaded = GreyLevels.load(tmp_path / "grey.json")
    assert np.array_equal(levels.low, loaded.low, equal_nan=True)
    assert np.array_equal(levels.high, loaded.high, equal_nan=True)
    document = json.loads((tmp_path / "grey.json").read_text())
    assert document["fit"] == "train"
    assert document["levels"][NAMES[9]]["max"] is None


def test_grey_levels_need_at_least_one_composition():
    with pytest.raises(ValueError, match="zero-size"):
        GreyLevels.fit(np.empty((0, 7, 56)))


def test_magnified_pixels_are_squares():
    assert magnify(np.array([[1, 2]]), 2).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_the_order_of_blocks_is_that_of_the_published_template(shared):
    with zipfile.ZipFile(shared / "data" / "mcvn" / "ImgTemplate.xlsx") as book:
        strings = re.findall(r"<t>(.*?)</t>", book.read("xl/sharedStrings.xml").decode())
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    cells = re.findall(r'<c r="[A-G](\d+)" t="s"><v>(\d+)</v>', sheet)
    assert [strings[int(index)] for _, index in cells] == list(NAMES)
    assert [int(row) for row, _ in cells] == [row for row in range(2, 10) for _ in range(7)]


@pytest.mark.parametrize(
    ("folder", "table", "first", "last"),
    [("NIMS", "NIMS_Fatigue.csv", "C", "Mo"), ("BMG-RMG-CRA", "original_data.csv", "Pd", "U")],
)
def test_published_pictures_are_reproduced_pixel_for_pixel(shared, folder, table, first, last):
    published = shared / "data" / "mcvn" / folder
    amounts = pd.read_csv(published / table).loc[:, first:last]
    compositions = [row[row > 0].to_dict() for _, row in amounts.iterrows()]
    elements = pd.read_csv(shared / "data" / "elements" / "elements_completed.csv", index_col=0)
    statistics = composition_statistics(compositions, check_elements(elements, "XenonPy"), "xenonpy")
    pictures = arrange(GreyLevels.fit(statistics).grey(statistics), "mcvn2022")
    expected = pd.read_csv(published / "Images.csv").to_numpy()
    assert expected.shape == (10, 504)
    assert np.count_nonzero(pictures.reshape(10, 504) != expected) == 0


@pytest.fixture
def stage(tmp_path, write_sample):
    """Run the stages on a small sample with made-up properties of H to Ni; return their folder."""
    symbols = [Element.from_Z(z).symbol for z in range(1, 29)]
    properties = np.random.default_rng(2).uniform(1, 100, (len(symbols), 56))
    write_elements(
        tmp_path / "elements.parquet",
        check_elements(pd.DataFrame(properties, symbols, list(NAMES)), "the made-up table"),
    )

    def run(
        formulas,
        parts,
        *,
        backend="polyfacet",
        statistics="stable",
        fit="train",
        scale=1,
        n_shards=1,
        kept=None,
    ):
        split = [{"mat_id": mat_id, "group": mat_id, "part": part} for mat_id, part in parts.items()]
        write_table(tmp_path / "split.parquet", split, SPLIT)
        sample = write_sample(formulas)
        tables = [tmp_path / f"statistics-{shard}.parquet" for shard in range(n_shards)]
        for shard, table in enumerate(tables):
            compute_composition_statistics.main(
                sample,
                tmp_path / "elements.parquet",
                table,
                tmp_path / "rejected.parquet",
                provenance=tmp_path / "statistics.json",
                backend=backend,
                statistics=statistics,
                shard=shard,
                n_shards=n_shards,
                max_rejected_fraction=0.5,
            )
        fit_grey_levels.main(
            tables, tmp_path / "split.parquet", tmp_path / "grey.json", fit=fit, origin={"backend": backend}
        )
        draw_composition_images.main(
            tables[0],
            tmp_path / "grey.json",
            tmp_path / "images",
            tmp_path / "manifest.parquet",
            provenance=tmp_path / "images.json",
            layout="fixed",
            scale=scale,
            kept=kept,
        )
        return tmp_path

    return run


def test_hidden_images_are_not_fitted_on(stage, tmp_path):
    hidden = {"share": 0.99, "parts": ["train"], "facets": ["compimage"], "seed": 1, "keeps_one": False}
    stage(FORMULAS, PARTS)
    arguments = [tmp_path / "statistics-0.parquet"], tmp_path / "split.parquet", tmp_path / "few.json"
    with pytest.raises(UserError, match="no material to fit grey levels on"):
        fit_grey_levels.main(*arguments, fit="train", origin={}, hidden=hidden)
    fit_grey_levels.main(*arguments, fit="train", origin={}, hidden={**hidden, "share": 0.5, "seed": 3})
    facts = json.loads((tmp_path / "few.json").read_text())
    assert 0 < facts["n_fitted"] < len([part for part in PARTS.values() if part == "train"])


FORMULAS = {"a": "FeNi", "b": "TiO2", "c": "LiF", "d": "Fe3Al"}
PARTS = {"a": "train", "b": "train", "c": "test", "d": "train"}


def pixels(folder, mat_id):
    with Image.open(folder / "images" / f"{mat_id}.png") as picture:
        assert picture.mode == "L"
        return np.asarray(picture)


def test_pictures_of_the_training_part_do_not_depend_on_the_test_part(stage):
    folder = stage(FORMULAS, PARTS)
    before = pixels(folder, "a")
    stage({**FORMULAS, "c": "KCl"}, PARTS)
    assert np.array_equal(before, pixels(folder, "a"))
    stage({**FORMULAS, "c": "KCl"}, PARTS, fit="all")
    assert not np.array_equal(before, pixels(folder, "a"))


def test_manifest_lists_the_pictures_in_the_folder(stage):
    folder = stage(FORMULAS, PARTS, scale=4)
    manifest = read_table(folder / "manifest.parquet", COMPOSITION_IMAGES)
    assert list(manifest["mat_id"]) == list(FORMULAS)
    assert sorted(manifest["image"]) == sorted(path.name for path in (folder / "images").iterdir())
    assert pixels(folder, "b").shape == (96, 84)


def test_the_same_input_gives_the_same_bytes(stage):
    first = read_table(stage(FORMULAS, PARTS) / "manifest.parquet", COMPOSITION_IMAGES)
    second = read_table(stage(FORMULAS, PARTS) / "manifest.parquet", COMPOSITION_IMAGES)
    pd.testing.assert_frame_equal(first, second)


def test_elements_without_properties_are_rejected_by_name(stage):
    folder = stage({**FORMULAS, "e": "CmO2", "f": "Xx"}, {**PARTS, "e": "train", "f": "train"})
    rejects = read_table(folder / "rejected.parquet", REJECTS).set_index("mat_id")["reason"]
    assert rejects["e"] == "the element table has no properties of Cm"
    assert "unknown element" in rejects["f"]
    assert not (folder / "images" / "e.png").exists()


def test_both_back_ends_draw_the_same_pictures_and_are_recorded(stage):
    manifests = []
    for backend in ("polyfacet", "xenonpy"):
        folder = stage(FORMULAS, PARTS, backend=backend, statistics="xenonpy")
        manifests.append(read_table(folder / "manifest.parquet", COMPOSITION_IMAGES))
        assert json.loads((folder / "grey.json").read_text())["backend"] == backend
    pd.testing.assert_frame_equal(*manifests)


def test_statistics_that_xenonpy_lacks_raise_user_error(stage):
    with pytest.raises(UserError, match="Write `statistics: xenonpy`"):
        stage(FORMULAS, PARTS, backend="xenonpy", statistics="stable")


def test_grey_levels_do_not_depend_on_shards(stage):
    one = (stage(FORMULAS, PARTS) / "grey.json").read_bytes()
    assert (stage(FORMULAS, PARTS, n_shards=3) / "grey.json").read_bytes() == one


def test_picture_is_kept_unless_new_grey_levels_change_a_pixel(stage, tmp_path):
    def run(**changes):
        folder = stage({**FORMULAS, **changes}, PARTS, kept=tmp_path / "kept" / "shard-0-of-1")
        return json.loads((folder / "images.json").read_text())

    assert run() == {"made": 4, "kept": 0}
    assert run() == {"made": 0, "kept": 4}
    assert run(c="KCl") == {"made": 1, "kept": 3}
    assert run(a="H")["kept"] <= 1


def test_split_without_training_materials_raises_user_error(stage):
    with pytest.raises(UserError, match="the training part has no material"):
        stage(FORMULAS, dict.fromkeys(FORMULAS, "test"))


def test_legend_is_a_picture(tmp_path):
    draw_legend(tmp_path / "legend.png", layout="fixed")
    with Image.open(tmp_path / "legend.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 1000
