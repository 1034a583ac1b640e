"""What a facet is: a way to look at a material, declared once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

import pyarrow as pa

from polyfacet.config.taken_names import column_like_facet
from polyfacet.materials.stage_tables import MADE_PICTURES, MADE_TEXTS, VECTORS
from polyfacet.runtime.names import check_name
from polyfacet.runtime.plugins import Declaration

# What a model gets to see: a text, a picture (path of a PNG), or a vector of numbers.
Kind = Literal["text", "image", "vector"]
# What it is made of: the formula, the structure, or columns of a table as they are.
Needs = Literal["formula", "structure", "columns"]
FORM_SEPARATOR = ":"


class FacetError(ValueError):
    """A material of which a facet cannot be made; the message becomes the reason of the reject."""


@dataclass(frozen=True)
class Stage:
    """What the jobs that make a facet leave: one table for each shard, and the pictures that it lists.

    Attributes
    ----------
    folder
        Folder below that of the source, or of the split; ``{form}`` stands for the variant.
    schema
        Columns of the table.
    column
        The column that models see.
    of_split
        Whether it is repeated for each split, because something of it is fitted on the training part.
    rejects
        Folder of the stage that rejects materials and keeps results, if it is another one.
    """

    folder: str
    schema: pa.Schema
    column: str
    of_split: bool = False
    rejects: str = ""

    @property
    def has_pictures(self) -> bool:
        """Whether the table lists pictures, in a folder that is named like it."""
        return "sha256" in self.schema.names

    @property
    def has_views(self) -> bool:
        """Whether a material may have several pictures."""
        return "view" in self.schema.names


_MADE_BY_KIND = {
    "text": (MADE_TEXTS, "text"),
    "image": (MADE_PICTURES, "image"),
    "vector": (VECTORS, "values"),
}


@dataclass(frozen=True, eq=False)
class Facet(Declaration):
    """A way to look at a material, or one variant of it; facets of one name are equal.

    Attributes
    ----------
    name
        Name in configurations, combinations and columns; that of a variant is ``<facet>:<form>``.
    label
        Name in tables and figures.
    kind
        What a model gets to see.
    needs
        What it is made of; facets that need a structure are of crystals only.
    shows_structure
        Whether it shows the lattice, from which some objectives can be read off; None where it does if it is
        made of the structure.
    variants
        Its forms, and whether each of them shows the lattice; only where rules of the workflow make it.
    stage
        What its jobs leave; None for columns of the table of the materials.
    make
        Makes it of one material's formula (str) or structure (pymatgen's ``Structure``), as ``needs`` says:
        a text, a picture (Pillow's ``Image``) or numbers.  Raises `FacetError` where it cannot.  None where
        rules of the workflow make it.
    pixels_are_numbers
        Whether the pixels of a picture are numbers in themselves, so that no encoder is needed.
    may_be_flipped
        Whether a picture means the same when it is flipped.
    model_suffix
        What AutoGluon's model of a picture facet is called behind ``timm_image_``; empty for the name.
    """

    name: str
    label: str
    kind: Kind
    needs: Needs
    shows_structure: bool | None = None
    variants: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    stage: Stage | None = None
    make: Callable[[Any], Any] | None = None
    pixels_are_numbers: bool = False
    may_be_flipped: bool = False
    model_suffix: str = ""

    def __post_init__(self) -> None:
        """Check the declaration; complete what it shows, and the stage of a facet that `make` makes."""
        _check(self)
        if self.shows_structure is None:
            object.__setattr__(self, "shows_structure", self.needs == "structure")
        if self.make is not None and self.stage is None:
            schema, name = _MADE_BY_KIND[self.kind]
            object.__setattr__(self, "stage", Stage(f"facets/{self.name}", schema, name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facet) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def base(self) -> str:
        """Name of the facet that it is a variant of, or its own."""
        return self.name.split(FORM_SEPARATOR)[0]

    @property
    def form(self) -> str:
        """Which variant it is; empty for the one that the configuration chooses."""
        return self.name.partition(FORM_SEPARATOR)[2]

    @property
    def is_numeric(self) -> bool:
        """Whether it is numbers in itself, so that no encoder is needed."""
        return self.kind == "vector" or self.pixels_are_numbers

    def variant(self, form: str) -> "Facet":
        """Return a variant of it.

        Raises
        ------
        ValueError
            If there is no such form.
        """
        if form not in self.variants:
            forms = f"; there are: {', '.join(self.variants)}" if self.variants else ""
            raise ValueError(f"the facet {self.name!r} has no form {form!r}{forms}")
        return replace(
            self,
            name=f"{self.name}{FORM_SEPARATOR}{form}",
            label=f"{self.label} ({form})",
            needs="structure" if self.variants[form] else self.needs,
            shows_structure=self.variants[form],
        )


def _check(facet: Facet) -> None:
    """Refuse a declaration that could not work."""
    is_form = isinstance(facet.name, str) and facet.form in facet.variants
    name = facet.base if is_form else facet.name
    check_name("a facet", name, underscores=False)
    if column := column_like_facet(facet.base):
        raise ValueError(
            f"a facet cannot be called {facet.name!r}: {column!r} is a column of Polyfacet's own tables, or "
            "a word of its results, and the columns of a facet begin with its name"
        )
    for field_name, allowed in (("kind", get_args(Kind)), ("needs", get_args(Needs))):
        value = getattr(facet, field_name)
        if value not in allowed:
            raise ValueError(
                f"{field_name} of the facet {facet.name!r} is {value!r}, not one of {', '.join(allowed)}"
            )
    if facet.make is not None and not callable(facet.make):
        raise ValueError(f"make of the facet {facet.name!r} must be a function, not {facet.make!r}")
    if facet.make is not None and facet.variants:
        raise ValueError(
            f"the facet {facet.name!r} has variants and `make`, which is not told the form. Declare one "
            "facet for each form"
        )
    if facet.make is None and facet.stage is None and facet.needs != "columns":
        raise ValueError(f"the facet {facet.name!r} has no `make`: what makes it of the {facet.needs}?")
