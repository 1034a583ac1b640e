# Functions of rules/pictures.smk.


def results_of_pictures():
    """Return the names and places of what `snakemake pictures` made, if it was run."""
    sheet = Path(rules.draw_sheet_of_pictures.output.sheet)
    if not sheet.exists():
        return []
    return [
        ("sheet", str(sheet)),
        ("pictures", f"{sheet.parent}/shard-*/*.png"),
        ("rejected", f"{sheet.parent}/shard-*.rejected.parquet"),
    ]
