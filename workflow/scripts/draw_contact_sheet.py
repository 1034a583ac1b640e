"""Draw a contact sheet with pictures of materials spread evenly over the sample."""

from pathlib import Path

from polyfacet.facets.registry import IMAGE, shown_columns
from polyfacet.reporting.contact_sheets import save_contact_sheet
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
        Maximum number of pictures.
    """
    frame = read_dataset(dataset)
    for view in shown_columns(IMAGE, frame.columns):
        frame[view] = frame[view].map(lambda path: str(dataset.parent / path), na_action="ignore")
    save_contact_sheet(frame, sheet, n_pictures)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
