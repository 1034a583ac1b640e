# Functions of rules/pictures.smk.

from polyfacet.runtime.rejects import counted_rejects


def results_of_pictures():
    """Return the names and places of what `snakemake pictures` made, if it was run."""
    sheet = Path(rules.draw_sheet_of_pictures.output.sheet)
    if not sheet.exists():
        return []
    return [
        ("sheet", str(sheet)),
        ("pictures", f"{sheet.parent}/shard-*/*.png"),
        *(("rejected", counted) for counted in counted_rejects(rejects_of_pictures())),
    ]


def rejects_of_pictures():
    """Return the tables of what could not be read, written as CIF or drawn."""
    shards = (
        rules.write_structures.output.rejected,
        rules.render_images.output.rejected,
    )
    return [
        rules.sample.output.rejected,
        *(expand(pattern, shard="*")[0] for pattern in shards),
    ]
