"""The data card of a dataset: where its materials come from, what its columns mean, how it is split.

The front matter is that of dataset cards on the Hugging Face hub.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml

from polyfacet.reporting.objective_tables import in_markdown
from polyfacet.runtime.markdown import plain, table
from polyfacet.splits.parts import PARTS

FILES = "shard-*.parquet"
USE = """```python
import pandas as pd
from datasets import load_dataset

frame = pd.read_parquet("FOLDER_OF_THIS_FILE")
rows = load_dataset("FOLDER_OF_THIS_FILE", split="train")
# The same; with `data_dir`, it would take this card and the list of files for tables.
rows = load_dataset("parquet", data_files="FOLDER_OF_THIS_FILE/*.parquet", split="train")
```

`load_dataset` calls all rows `train`; the column `part` says which of them are training, validation and test
materials. On the hub, this file is called `README.md`; here, Parquet readers would take that for a table."""
NOT_KNOWN = (
    "The materials have the licence of their source, which Polyfacet does not know: state it here, with the "
    "people to cite, before you publish the dataset."
)


def dataset_card(
    schema: pa.Schema, rows: pd.DataFrame, statistics: pd.DataFrame, about: Mapping[str, Any]
) -> str:
    """Write the data card of a dataset.

    Parameters
    ----------
    schema
        Of the dataset, with the meaning and the unit of each column.
    rows
        Columns ``part`` and ``facets`` of all materials.
    statistics
        Statistics of the objectives (`polyfacet.materials.objective_statistics.STATISTICS`).
    about
        ``run``, ``source``, ``files`` (of the source), ``split``, ``split_method``, ``repeat`` and ``seed``.
    """
    sections = [
        f"---\n{yaml.safe_dump(_front_matter(len(rows), statistics), sort_keys=False)}---",
        f"# {plain(about['run'])}: {plain(about['source'])}, split {plain(about['split'])} {about['repeat']}",
        "A dataset of Polyfacet: one row per material, with its properties, its facets and its part of the "
        "split.",
        USE,
        "## Where it comes from",
        table(("", ""), _facts(rows, about), n_left=2),
        NOT_KNOWN,
        "## Objectives",
        in_markdown(statistics),
        "## Columns",
        table(("column", "meaning", "unit", "type"), [_column(field) for field in schema], n_left=4),
        "Paths of pictures are relative to the folder of this file.",
    ]
    return "\n\n".join(sections) + "\n"


def _front_matter(n: int, statistics: pd.DataFrame) -> dict[str, Any]:
    has_classes = statistics["classes"].map(len) > 0
    tasks = {"tabular-regression": ~has_classes, "tabular-classification": has_classes}
    return {
        "pretty_name": "Materials, aligned by Polyfacet",
        "tags": ["materials-science", "polyfacet"],
        "task_categories": [task for task, objectives in tasks.items() if objectives.any()],
        "size_categories": [_size(n)],
        "configs": [{"config_name": "default", "data_files": FILES}],
    }


def _size(n: int) -> str:
    """Return the category of the hub for a number of rows."""
    if n < 1_000:
        return "n<1K"
    steps = ((10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for limit, name in steps if n < limit), "1M<n<10M")


def _portable(path: str) -> str:
    """Return a path as others may see it: of an absolute one, only the name."""
    return Path(path).name if Path(path).is_absolute() else path


def _facts(rows: pd.DataFrame, about: Mapping[str, Any]) -> list[tuple[str, str]]:
    parts = Counter(rows["part"])
    facets = Counter(facet for names in rows["facets"] for facet in names)
    return [
        ("source", ", ".join(plain(_portable(str(file))) for file in about["files"])),
        ("materials", f"{len(rows)}: " + ", ".join(f"{parts[part]} {part}" for part in PARTS)),
        ("materials that have each facet", ", ".join(f"{plain(name)} {n}" for name, n in facets.items())),
        (
            "split",
            f"{plain(about['split'])} (method {plain(about['split_method'])}), repeat {about['repeat']}",
        ),
        ("seed of the run", str(about["seed"])),
    ]


def _column(field: pa.Field) -> tuple[str, str, str, str]:
    said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    return f"`{field.name}`", plain(said.get("meaning", "")), plain(said.get("unit", "")), str(field.type)
