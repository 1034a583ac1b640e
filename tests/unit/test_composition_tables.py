"""Tables of compositions: every row is kept or rejected with its line and the reason."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from project import PROJECT

import read_composition_table
from polyfacet.materials.formula import FormulaError, parse_alloy, parse_formula
from polyfacet.materials.stated_formulas import parse_stated_formula
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table
from polyfacet.sources.tables.description import table_source
from polyfacet.sources.tables.reading import read_rows
from polyfacet.sources.tables.schemas import REJECTED_ROWS, rows_schema
from polyfacet.splits.grouping import by_column

GOOD = "0.4,1.5,865,397,BMG"
DESCRIPTION = {
    "composition": {"columns": ["C", "Mn"], "unit": "weight_percent", "balance": "Fe"},
    "process": ["T"],
    "objectives": {
        "fatigue": {"column": "Fatigue", "unit": "MPa"},
        "phase": {"column": "Phase", "classes": ["BMG", "CRA"]},
    },
}


@pytest.fixture
def read(tmp_path):
    """Read a table of these lines as described."""

    def run(*lines, header="C,Mn,T,Fatigue,Phase", **changes):
        path = tmp_path / "alloys.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return read_rows("alloys", table_source("alloys", {**DESCRIPTION, "file": str(path), **changes}))

    return run


def test_a_row_is_converted_and_typed(read):
    (row,), rejected = read(GOOD)
    assert not rejected
    assert (row.mat_id, row.line, row.features) == ("alloys-0001", 2, {"process": [865.0]})
    assert row.objectives == {"fatigue": 397.0, "phase": "BMG"}
    atoms = {"C": 0.4 / 12.011, "Mn": 1.5 / 54.938, "Fe": 98.1 / 55.845}
    expected = {symbol: 100 * amount / sum(atoms.values()) for symbol, amount in atoms.items()}
    assert row.amounts == pytest.approx(expected, rel=1e-4)


def test_columns_of_the_microstructure_are_a_facet_of_their_own(read):
    (row,), _ = read(
        "0.4,1.5,865,397,BMG,0.02,0.1", header="C,Mn,T,Fatigue,Phase,dA,dB", microstructure=["dA", "dB"]
    )
    assert row.features == {"process": [865.0], "microstructure": [0.02, 0.1]}
    kept, rejected = read("0.4,1.5,865,397,BMG,", header="C,Mn,T,Fatigue,Phase,dA", microstructure=["dA"])
    assert not kept
    assert "dA" in rejected[0].reason


def test_an_end_member_lacks_the_balance(read):
    composition = {"columns": ["Ni"], "unit": "atomic_percent", "balance": "Ti"}
    header = "Ni,Ti,T,Fatigue,Phase"
    kept, rejected = read(
        "0,100,1,2,BMG",
        "50,50,1,2,BMG",
        "100,0,1,2,BMG",
        "100,50,1,2,BMG",
        header=header,
        composition=composition,
    )
    assert [row.amounts for row in kept] == [{"Ti": 100}, {"Ni": 50, "Ti": 50}, {"Ni": 100}]
    assert rejected[0].reason == "the balance, Ti, is 0, but its column has 50"


def test_unconverted_amounts_are_kept_as_stated(read):
    composition = {"columns": ["C", "Mn"], "unit": "weight_percent", "convert": False, "partial": True}
    (row,), _ = read("0.4,0,865,397,BMG", composition=composition)
    assert row.amounts == {"C": 0.4}
    assert row.formula == "C0.4"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",1.5,865,397,BMG", "C is missing"),
        ("-0.4,1.5,865,397,BMG", "the amount of C is -0.4, not between"),
        ("nan,1.5,865,397,BMG", "C is missing ('nan')"),
        ('"0,4",1.5,865,397,BMG', "C is '0,4', not a number"),
        ("40,61,865,397,BMG", "the amounts sum to 101, more than 100"),
        ("0.4,1.5,,397,BMG", "T is missing"),
        ("0.4,1.5,hot,397,BMG", "T is 'hot', not a number"),
        ("0.4,1.5,865,inf,BMG", "Fatigue is 'inf', not a finite number"),
        ("0.4,1.5,865,397,RMG", "Phase is 'RMG', not one of BMG, CRA"),
        ("0.4,1.5,865,,", "Fatigue is missing and Phase is missing"),
        ("0.4,1.5,865,-999,N/A", "Fatigue is missing ('-999') and Phase is missing ('N/A')"),
        ("0.4,1.5,865,warm,BMG", "Fatigue is 'warm', not a number"),
        ("0.4,1.5,865,warm,", "Fatigue is 'warm', not a number"),
        ("0.4,1.5,865,397", "the row has 4 cells, but the header has 5"),
        ("0.4,1.5,865,397,BMG,7", "the row has 6 cells, but the header has 5"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_the_reason(read, line, reason):
    kept, rejected = read(GOOD, line, GOOD)
    assert [row.mat_id for row in kept] == ["alloys-0001", "alloys-0003"]
    (reject,) = rejected
    assert (reject.line, reject.mat_id) == (3, "alloys-0002")
    assert reject.file.endswith("alloys.csv")
    assert reason in reject.reason


def test_a_row_may_lack_objectives_but_not_all(read):
    kept, rejected = read("0.4,1.5,865,,BMG", "0.4,1.5,865,397,n/a", "0.4,1.5,865,-999,CRA")
    assert not rejected
    assert [row.objectives for row in kept] == [
        {"fatigue": None, "phase": "BMG"},
        {"fatigue": 397.0, "phase": None},
        {"fatigue": None, "phase": "CRA"},
    ]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("Al40Cu60T", "unknown element 'T'"),
        ("Fe80Am20", "no properties are known for Am: Z is above 94"),
        ("", "Alloy is missing"),
        ("20", "names no element"),
        ("Fe0B0", "all amounts are zero"),
        ("Fe80B-20", "'-' at position 6"),
    ],
)
def test_a_bad_formula_is_rejected(read, formula, reason):
    objectives = {"phase": DESCRIPTION["objectives"]["phase"]}
    table = {
        "header": "Alloy,Phase",
        "composition": {"formula": "Alloy"},
        "process": [],
        "objectives": objectives,
    }
    kept, rejected = read("Fe80B20,BMG", f"{formula},BMG", **table)
    assert len(kept) == 1
    assert reason in rejected[0].reason


def test_identifiers_are_checked_and_the_first_of_equal_ones_is_kept(read):
    header = "name,C,Mn,T,Fatigue,Phase"
    lines = [f"{name},{GOOD}" for name in ("a1", "a1", "../b", "", "c")]
    kept, rejected = read(*lines, header=header, id="name")
    assert [row.mat_id for row in kept] == ["a1", "c"]
    assert [reject.line for reject in rejected] == [3, 4, 5]
    assert "duplicate identifier, first in line 2" in rejected[0].reason
    assert "does not match" in rejected[1].reason


def test_blank_lines_are_not_rows_and_line_numbers_are_those_of_the_file(read):
    kept, rejected = read(GOOD, "", "x" + GOOD, GOOD)
    assert [row.line for row in kept] == [2, 5]
    assert [reject.line for reject in rejected] == [4]


def test_equal_compositions_have_equal_formulas_in_any_spelling(read):
    table = {
        "header": "Alloy,Phase",
        "composition": {"formula": "Alloy", "brackets": "shares"},
        "process": [],
        "objectives": {"phase": DESCRIPTION["objectives"]["phase"]},
    }
    spellings = ("Fe72Si9.6Nb4B14.4", "(Fe0.75B0.15Si0.10)96Nb4", "(Fe75Si10B15)96Nb4")
    kept, _ = read(*(f"{text},BMG" for text in spellings), **table)
    assert {row.formula for row in kept} == {"B14.4Fe72Nb4Si9.6"}


def test_brackets_are_atoms_or_shares():
    assert parse_alloy("[(Fe0.7Co0.3)72Mo4B24]94Dy6") == pytest.approx(
        {"Fe": 47.376, "Co": 20.304, "Mo": 3.76, "B": 22.56, "Dy": 6.0}
    )
    assert parse_alloy("Fe80B20") == {"Fe": 80, "B": 20}
    for broken in ("(Fe80B20", "Fe80)B20", "()5Fe"):
        with pytest.raises(FormulaError):
            parse_alloy(broken)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("C,Mn,T,Fatigue", r"no column \['Phase'\]; its columns are"),
        ("C,Mn,T,Fatigue,Phase,C", r"more than one column \['C'\]"),
    ],
)
def test_a_header_that_does_not_fit_raises_user_error(read, header, message):
    with pytest.raises(UserError, match=message):
        read(GOOD, header=header)


def test_a_file_that_is_not_a_table_raises_user_error(read, tmp_path):
    with pytest.raises(UserError, match="no rows"):
        read()
    with pytest.raises(UserError, match=r"missing\.csv cannot be read"):
        read(GOOD, file=str(tmp_path / "missing.csv"))
    (tmp_path / "latin.csv").write_bytes("C,Mn,T,Fatigue,Phase\n0.4,1.5,865,397,BMGé\n".encode("latin-1"))
    with pytest.raises(UserError, match="UTF-8"):
        read(GOOD, file=str(tmp_path / "latin.csv"))


@pytest.mark.parametrize(
    ("composition", "message"),
    [
        ({}, "either a `formula` column or `columns`"),
        ({"formula": "Alloy", "columns": ["C"]}, "either a `formula` column or `columns`"),
        ({"columns": ["Xx"]}, "'Xx' is not an element"),
        ({"columns": ["C"], "balance": "Fe"}, "needs a `unit` with a fixed total"),
        (
            {"columns": ["C"], "unit": "weight_percent", "balance": "C"},
            "C cannot be both the balance",
        ),
        ({"columns": ["C"], "unit": "grams"}, "weight_percent"),
    ],
)
def test_a_description_that_contradicts_itself_names_the_key(read, composition, message):
    with pytest.raises(UserError, match=rf"tables\.alloys\.composition(.|\n)*{message}"):
        read(GOOD, composition=composition)


def run_script(tmp_path, lines, header="C,Mn,T,Fatigue,Phase", **options):
    (tmp_path / "alloys.csv").write_text("\n".join([header, *lines]) + "\n")
    description = {**DESCRIPTION, "file": str(tmp_path / "alloys.csv")}
    outputs = [tmp_path / name for name in ("rows.parquet", "rejected.parquet", "summary.json")]
    read_composition_table.main(*outputs, source="alloys", description=description, **options)
    schema = rows_schema(table_source("alloys", description), split_columns=options.get("split_columns", ()))
    return read_table(outputs[0], schema), read_table(outputs[1], REJECTED_ROWS), outputs[2]


def test_the_script_writes_rows_rejects_and_counts(tmp_path):
    lines = [GOOD, "0.4,1.5,900,410,CRA", "x,1.5,865,397,BMG"]
    rows, rejected, summary = run_script(tmp_path, lines, max_rejected_fraction=0.5)
    assert list(rows["mat_id"]) == ["alloys-0001", "alloys-0002"]
    assert np.stack(rows["process"]).tolist() == [[865], [900]]
    np.testing.assert_allclose(np.stack(rows["composition"]).sum(axis=1), 100, atol=1e-5)
    assert rejected["line"].tolist() == [4]
    facts = json.loads(summary.read_text())
    assert (facts["n_read"], facts["n_rejected"], facts["n_compositions"]) == (3, 1, 1)
    assert facts["features"] == ["C", "Mn", "Fe", "T"]


def test_the_script_writes_the_columns_that_splits_group_by_as_texts(tmp_path):
    lines = [f"{GOOD}, Lab A ", f"{GOOD},", f"{GOOD},n/a", f"{GOOD},Lab A", "x,1.5,865,397,BMG,Lab B"]
    header = "C,Mn,T,Fatigue,Phase,Lab"
    rows, rejected, _ = run_script(
        tmp_path, lines, header, split_columns=["Lab", "T"], max_rejected_fraction=0.5
    )
    assert rows["Lab"].tolist() == ["Lab A", None, "n/a", "Lab A"]
    assert rows["T"].tolist() == ["865"] * 4
    assert rejected["line"].tolist() == [6]
    groups = by_column(rows, "Lab")
    assert list(groups.values()) == ["Lab=Lab A", "alloys-0002", "Lab=n/a", "Lab=Lab A"]


def test_columns_for_splits_choose_no_rows_and_add_nothing_else(tmp_path):
    """An element that `composition.columns` does not name is still a contradiction."""
    lines, header = [f"{GOOD},12", f"{GOOD},0"], "C,Mn,T,Fatigue,Phase,Cr"
    plain, _, _ = run_script(tmp_path, lines, header, max_rejected_fraction=0.5)
    rows, rejected, _ = run_script(tmp_path, lines, header, split_columns=["Cr"], max_rejected_fraction=0.5)
    assert rejected["line"].tolist() == [2]
    pd.testing.assert_frame_equal(rows.drop(columns="Cr"), plain)


def test_a_column_for_splits_that_the_file_lacks_is_named_with_those_it_has(tmp_path):
    with pytest.raises(UserError, match=r"no column \['Labs'\].*'Phase', 'Lab'\].*may be 'Lab'"):
        run_script(
            tmp_path,
            [f"{GOOD},A"],
            "C,Mn,T,Fatigue,Phase,Lab",
            split_columns=["Labs"],
            max_rejected_fraction=0,
        )


def test_too_many_rejects_stop_the_stage_but_are_recorded(tmp_path):
    with pytest.raises(UserError, match="table alloys: 1 of 2 materials were rejected"):
        run_script(tmp_path, [GOOD, "x,1.5,865,397,BMG"], max_rejected_fraction=0.05)
    assert len(pd.read_parquet(tmp_path / "rejected.parquet")) == 1


def test_the_invented_steels_match_their_card():
    table = pd.read_csv(PROJECT / "embedded" / "invented_steels.csv")
    composition, tempering = table[["C", "Mn", "Cr"]] @ [300, 40, 25], table["Tempering"]
    assert np.abs(table["Hardness"] - (150 + composition - 0.4 * (tempering - 550))).max() < 0.051
    assert ((table["Hardness"] >= 300) == (table["Class"] == "hard")).all()


def test_the_study_reads_percentages_of_steel_as_the_published_pictures_do(shared):
    """`test_published_pictures_are_reproduced_pixel_for_pixel` draws the pictures from these amounts."""
    steel = yaml.safe_load((PROJECT / "config" / "mcvn.yaml").read_text())["tables"]["steel"]
    sample = shared / "data" / "mcvn" / "NIMS" / "NIMS_Fatigue.csv"
    columns = {"process": ["NT", "QT", "TT"], "objectives": {"fatigue": {"column": "Fatigue"}}}
    kept, rejected = read_rows("steel", table_source("steel", {**steel, **columns, "file": str(sample)}))
    assert (len(kept), len(rejected)) == (10, 0)
    amounts = pd.read_csv(sample).loc[:, "C":"Mo"]
    assert [row.amounts for row in kept] == [row[row > 0].to_dict() for _, row in amounts.iterrows()]


def test_the_published_tables_are_read(shared):
    glasses = {
        "file": str(shared / "data" / "alloys" / "metallic_glass_gfa_6470.csv"),
        "composition": {"formula": "Alloy", "brackets": "shares"},
        "objectives": {"gfa": {"column": "GFA", "classes": ["BMG", "RMG", "CRA"]}},
    }
    kept, rejected = read_rows("glasses", table_source("glasses", glasses))
    assert len(kept) == 6469
    assert [(reject.line, reject.reason) for reject in rejected] == [
        (1233, "formula 'Al40Cu60T': unknown element 'T'")
    ]
    assert all(sum(row.amounts.values()) == pytest.approx(100, abs=1e-4) for row in kept)
    alloys = pd.read_csv(glasses["file"]).drop(index=rejected[0].line - 2)["Alloy"]
    for read, n_others in ((parse_alloy, 20), (parse_formula, 130)):
        totals = np.array([sum(read(alloy).values()) for alloy in alloys])
        assert (np.abs(totals - 100) > 1e-3).sum() == n_others


@pytest.mark.parametrize(
    ("file", "formula"),
    [
        ("mp20/train.csv.gz", "pretty_formula"),
        ("matbench/expt_gap.csv", "formula"),
        ("matbench/steels_yield.csv", "formula"),
    ],
)
def test_no_published_formula_counts_as_a_misprint(shared, file, formula):
    for text in pd.read_csv(shared / "data" / file, usecols=[formula], keep_default_na=False)[formula]:
        assert parse_stated_formula(text) == parse_formula(text)


def test_the_script_writes_null_for_unmeasured_values(tmp_path):
    lines = ["0.4,1.5,865,,BMG", "0.4,1.5,900,,CRA", "0.4,1.6,900,,-"]
    rows, rejected, _ = run_script(tmp_path, lines, max_rejected_fraction=0.5)
    assert rows["fatigue"].isna().all()
    assert rows["fatigue"].dtype == np.float64
    assert rows["phase"].tolist() == ["BMG", "CRA"]
    assert rejected["reason"].tolist() == ["Fatigue is missing and Phase is missing ('-')"]
