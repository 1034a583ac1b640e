"""Declaration of a facet: one way to look at a material."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import pyarrow as pa

from polyfacet.config.methods import CombinationSet
from polyfacet.config.objectives import Aspect
from polyfacet.config.taken_names import column_like_facet
from polyfacet.materials.objectives import ASPECTS, aspects, ordered_aspects
from polyfacet.materials.stage_tables import MADE_PICTURES, MADE_TEXTS, VECTORS
from polyfacet.runtime.names import check_name
from polyfacet.runtime.optional_packages import OptionalPackage
from polyfacet.runtime.places import file_of, imported
from polyfacet.runtime.plugins import Declaration

# What models receive: a text, a picture (path of a PNG), or a vector of numbers.
Kind = Literal["text", "image", "vector"]
# What it is made from: the formula, the structure, or unchanged columns of a table.
Needs = Literal["formula", "structure", "columns"]
FORM_SEPARATOR = ":"
# Where a function or class is whose libraries take long to import.
PLACE = re.compile(r"[a-zA-Z_][\w.]*:[a-zA-Z_]\w*")
OF_FORMULAS: frozenset[Aspect] = frozenset({"composition"})
OF_STRUCTURES: frozenset[Aspect] = frozenset(ASPECTS)


class FacetError(ValueError):
    """A facet cannot be made for a material; the message becomes the reason for the reject."""


@dataclass(frozen=True)
class Stage:
    """Output of the jobs that make a facet: one table per shard, and the pictures that it lists.

    Attributes
    ----------
    folder
        Folder inside that of the source, or of the split; ``{form}`` is replaced by the variant.
    schema
        Columns of the table.
    column
        The column that models receive.
    of_split
        Whether the stage is repeated for each split, because part of it is fitted on the training part.
    rejects
        Folder of the stage that rejects materials and keeps results, if that is a different stage.
    """

    folder: str
    schema: pa.Schema
    column: str
    of_split: bool = False
    rejects: str = ""

    @property
    def has_pictures(self) -> bool:
        """Whether the table lists pictures, which are in a folder of the same name."""
        return "sha256" in self.schema.names

    @property
    def has_views(self) -> bool:
        """Whether a material may have several pictures."""
        return "view" in self.schema.names


# Label of the numbers of an encoder that could not be trained.
UNTRAINED = "control: untrained encoder"


@dataclass(frozen=True)
class Encoding:
    """How a facet of texts or pictures becomes numbers for engines without encoders of their own.

    It is made once per split and then frozen: engines read its numbers, and change nothing in it.

    Attributes
    ----------
    encoder
        ``module:class`` of the `polyfacet.encodings.base.Encoder`, whose libraries take long to import.
    label
        How the numbers are made, and what the encoder was fitted on.
    learns
        Whether it is trained on the objectives of the training part.
    """

    encoder: str
    label: str
    learns: bool = False

    @property
    def file(self) -> Path:
        """File of the encoder's class."""
        return file_of(self.encoder)

    def load(self) -> Any:
        """Import the encoder's class."""
        return imported(self.encoder)


FRACTIONS = Encoding(
    "polyfacet.encodings.fractions:FractionEncoder", "atomic fractions of the elements, free of weights"
)
MATSCHOLAR = Encoding(
    "polyfacet.encodings.matscholar:MatscholarEncoder",
    "atomic fractions, and Matscholar vectors of the elements, pretrained on abstracts of the literature",
)
WORDS = Encoding(
    "polyfacet.encodings.words:WordEncoder",
    "TF-IDF and truncated SVD, fitted on the texts of the training part, without objectives",
)
NETWORK = Encoding(
    "polyfacet.encodings.pictures:PictureEncoder",
    "convolutional network, trained on the training part, on all objectives",
    learns=True,
)
# Of facets that declare none; the others consist of numbers.
_ENCODING_BY_KIND: Mapping[str, Encoding] = {"text": WORDS, "image": NETWORK}


@dataclass(frozen=True)
class PretrainedNetwork:
    """A network that was trained elsewhere, on materials that may include those of a run.

    Attributes
    ----------
    make
        ``module:function`` that makes its numbers from one material's structure (pymatgen's ``Structure``).
    package
        Package that has the weights.
    label
        Which network it is.
    materials
        What it was trained on.
    learned
        Predefined objectives of crystals whose values it was trained on, or values that they follow from.
    """

    make: str
    package: OptionalPackage
    label: str
    materials: str
    learned: frozenset[str]

    @property
    def identity(self) -> str:
        """Network and training, for cards."""
        return f"{self.label} ({self.package}), pretrained on {self.materials}"


# What a facet shows unless it says otherwise.
_SHOWN: Mapping[str, frozenset[Aspect]] = {
    "formula": OF_FORMULAS,
    "structure": OF_STRUCTURES,
    "columns": frozenset(),
}
_MADE_BY_KIND = {
    "text": (MADE_TEXTS, "text"),
    "image": (MADE_PICTURES, "image"),
    "vector": (VECTORS, "values"),
}


@dataclass(frozen=True, eq=False)
class Facet(Declaration):
    """A way to look at a material, or one variant of it; facets with the same name are equal.

    Attributes
    ----------
    name
        Name in configurations, combinations and columns; that of a variant is ``<facet>:<form>``.
    label
        Name in tables and figures.
    kind
        What models receive.
    needs
        What it is made from; facets that need a structure exist for crystals only.
    shows
        Aspects of a material that can be read off it: objectives that follow from them are marked.  None: all
        of them if it is made from the structure, the composition if it is made from the formula, and nothing
        if it is columns of a table.
    variants
        Its forms, and what each of them shows; a form that shows more than the composition is made from the
        structure.  Only for facets made by rules of the workflow.
    stage
        Output of its jobs; None for columns of the materials table.
    make
        Function that makes it from one material's formula (str) or structure (pymatgen's ``Structure``),
        depending on ``needs``: a text, a picture (Pillow's ``Image``) or numbers.  Raises `FacetError` if it
        cannot.  ``module:function`` where its libraries take long to import.  None for facets made by rules
        of the workflow.
    pixels_are_numbers
        Whether the pixels of a picture are themselves numeric features, so that no encoder is needed.
    may_be_flipped
        Whether flipping a picture leaves its meaning unchanged.
    model_suffix
        Suffix after ``timm_image_`` in the name of AutoGluon's model for a picture facet; empty for the
        facet's name.
    encoding
        What makes numbers of texts or pictures, for engines without encoders.  None: the usual encoding of
        the kind, unless the facet consists of numbers.
    encodings
        The same of those variants that differ.
    pretrained
        Those variants that consist of the numbers of a pretrained network.
    """

    name: str
    label: str
    kind: Kind
    needs: Needs
    shows: frozenset[Aspect] | None = None
    variants: Mapping[str, frozenset[Aspect]] = field(default_factory=lambda: MappingProxyType({}))
    stage: Stage | None = None
    make: Callable[[Any], Any] | str | None = None
    pixels_are_numbers: bool = False
    may_be_flipped: bool = False
    model_suffix: str = ""
    encoding: Encoding | None = None
    encodings: Mapping[str, Encoding] = field(default_factory=lambda: MappingProxyType({}))
    pretrained: Mapping[str, PretrainedNetwork] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Check the declaration; fill in ``shows``, and the stage of a facet with ``make``."""
        _check(self)
        shown = _SHOWN[self.needs] if self.shows is None else self.shows
        object.__setattr__(self, "shows", aspects(f"shows of the facet {self.name!r}", shown))
        if self.make is not None and self.stage is None:
            schema, name = _MADE_BY_KIND[self.kind]
            object.__setattr__(self, "stage", Stage(f"facets/{self.name}", schema, name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facet) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def base(self) -> str:
        """Name of the facet without its form."""
        return self.name.split(FORM_SEPARATOR)[0]

    @property
    def form(self) -> str:
        """Which variant it is; empty for the variant that the configuration chooses."""
        return self.name.partition(FORM_SEPARATOR)[2]

    @property
    def is_numeric(self) -> bool:
        """Whether it consists of numbers, so that no encoder is needed."""
        return self.kind == "vector" or self.pixels_are_numbers

    @property
    def has_numbers(self) -> bool:
        """Whether it consists of numbers or has an encoding."""
        return self.is_numeric or self.encoded_as(self.form) is not None

    @property
    def network(self) -> PretrainedNetwork | None:
        """The pretrained network whose numbers it consists of, if any."""
        return self.pretrained.get(self.form)

    @property
    def file(self) -> Path | None:
        """File of the function that makes it; None if the declaration does not name one."""
        return file_of(self.make) if isinstance(self.make, str) else None

    def load_make(self) -> Callable[[Any], Any] | None:
        """Import the function that makes it."""
        return imported(self.make) if isinstance(self.make, str) else self.make

    def attributes(self) -> dict[str, Any]:
        """Return the declared attributes except functions, for JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        stage = self.stage and {each.name: str(getattr(self.stage, each.name)) for each in fields(self.stage)}
        plain = {name: value for name, value in values.items() if not callable(value)}
        return {
            **plain,
            "shows": ordered_aspects(self.shows or ()),
            "variants": {form: ordered_aspects(shown) for form, shown in self.variants.items()},
            "stage": stage,
            "encoding": (usual := self.encoded_as("")) and usual.label,
            "encodings": {form: encoding.label for form, encoding in self.encodings.items()},
            "pretrained": {form: network.identity for form, network in self.pretrained.items()},
        }

    def form_needs_structure(self, form: str) -> bool:
        """Return whether a form is made from the structure; empty stands for the facet without forms."""
        return self.needs == "structure" or not self.variants.get(form, OF_FORMULAS) <= OF_FORMULAS

    def shown_as(self, form: str) -> frozenset[Aspect]:
        """Return what the facet shows in a form; empty stands for the facet without forms."""
        return self.variants.get(form, self.shows or frozenset())

    def encoded_as(self, form: str) -> Encoding | None:
        """Return the encoding of a form, None for numbers; empty stands for the facet without forms."""
        usual = None if self.is_numeric else _ENCODING_BY_KIND[self.kind]
        return self.encodings.get(form, self.encoding or usual)

    def variant(self, form: str) -> "Facet":
        """Return a variant of the facet.

        Raises
        ------
        ValueError
            If the facet has no such form.
        """
        if form not in self.variants:
            forms = f"; there are: {', '.join(self.variants)}" if self.variants else ""
            raise ValueError(f"the facet {self.name!r} has no form {form!r}{forms}")
        network = self.pretrained.get(form)
        return replace(
            self,
            name=f"{self.name}{FORM_SEPARATOR}{form}",
            label=f"{self.label} ({form})",
            needs="structure" if self.form_needs_structure(form) else self.needs,
            shows=self.variants[form],
            # A network from elsewhere is applied to one material at a time, by the rule of all such facets.
            make=network.make if network else self.make,
            stage=None if network else self.stage,
        )


def _check(facet: Facet) -> None:
    """Check a declaration; raise ValueError for one that cannot work."""
    is_form = isinstance(facet.name, str) and facet.form in facet.variants
    name = facet.base if is_form else facet.name
    check_name("a facet", name, underscores=False)
    if facet.base in get_args(CombinationSet):
        raise ValueError(f"a facet cannot be called {facet.name!r}, which is a set of combinations")
    if column := column_like_facet(facet.base):
        raise ValueError(
            f"a facet cannot be called {facet.name!r}: {column!r} is a column of Polyfacet's own tables, or "
            "a term used in its results, and the columns of a facet begin with its name"
        )
    for field_name, allowed in (("kind", get_args(Kind)), ("needs", get_args(Needs))):
        value = getattr(facet, field_name)
        if value not in allowed:
            raise ValueError(
                f"{field_name} of the facet {facet.name!r} is {value!r}, not one of {', '.join(allowed)}"
            )
    if (facet.encoding or facet.encodings) and facet.is_numeric:
        raise ValueError(f"the facet {facet.name!r} consists of numbers, so that it needs no `encoding`")
    is_place = isinstance(facet.make, str) and PLACE.fullmatch(facet.make)
    if not (facet.make is None or callable(facet.make) or is_place):
        raise ValueError(
            f"make of the facet {facet.name!r} must be a function or 'module:function', not {facet.make!r}"
        )
    if facet.make is not None and facet.variants and not facet.network:
        raise ValueError(
            f"the facet {facet.name!r} has variants and `make`, which does not receive the form. Declare one "
            "facet per form"
        )
    if facet.make is None and facet.stage is None and facet.needs != "columns":
        raise ValueError(
            f"the facet {facet.name!r} has no `make`: give a function that makes it from the {facet.needs}"
        )
