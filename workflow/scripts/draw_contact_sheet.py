"""Draw a contact sheet: pictures of materials that are spread evenly over the sample."""

from pathlib import Path

from polyfacet.dataset import read_dataset
from polyfacet.errors import UserError
from polyfacet.facets import Facet
from polyfacet.figures import contact_sheet, save


def main(dataset: Path, sheet: Path, *, n_pictures: int) -> None:
    """Draw the sheet.

    Parameters
    ----------
    dataset
        The aligned table.
    sheet
        Output, a PNG file.
    n_pictures
        How many pictures at most, ten a line.
    """
    frame = read_dataset(dataset, [Facet.IMAGE]).dropna(subset="image").sort_values(["formula", "mat_id"])
    if frame.empty:
        raise UserError(f"{dataset} has no pictures; see the rejects of the images stage.")
    chosen = frame.iloc[:: max(1, len(frame) // n_pictures)].head(n_pictures)
    save(contact_sheet([Path(path) for path in chosen["image"]], list(chosen["formula"])), sheet)


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
