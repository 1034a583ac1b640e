"""Draw a contact sheet with pictures of materials spread evenly over the sample."""

from pathlib import Path

from polyfacet.facets.aligned import check_pictures
from polyfacet.facets.registry import IMAGE, shown_columns
from polyfacet.reporting.figures import contact_sheet, save
from polyfacet.runtime.errors import UserError
from polyfacet.training.dataset import read_dataset


def main(dataset: Path, sheet: Path, *, n_pictures: int) -> None:
    """Draw the sheet.

    Parameters
    ----------
    dataset
        ``_metadata`` of the dataset.
    sheet
        Output, a PNG file.
    n_pictures
        Maximum number of pictures, ten per line; the views of a material are side by side.
    """
    frame = read_dataset(dataset)
    views = shown_columns(IMAGE, frame.columns)
    frame = frame.dropna(subset=views).sort_values(["formula", "mat_id"])
    if frame.empty:
        raise UserError(f"{dataset} has no pictures. See the rejects of the images stage.")
    n_materials = max(1, n_pictures // len(views))
    chosen = frame.iloc[:: max(1, len(frame) // n_materials)].head(n_materials)
    chosen = chosen.assign(**{view: [str(dataset.parent / path) for path in chosen[view]] for view in views})
    check_pictures(chosen, [IMAGE])
    pictures = [Path(path) for path in chosen[views].to_numpy().ravel()]
    save(contact_sheet(pictures, list(chosen["formula"].repeat(len(views)))), sheet)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
