"""Materials with the identifier of another one: the same, a version of it, or a different crystal."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyfacet.materials.material import Material, place_in_file
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import column
from polyfacet.runtime.progress import tell

DUPLICATE = "duplicate mat_id"
OF_ANOTHER_CRYSTAL = f"{DUPLICATE} of a different crystal: give different crystals different identifiers"
# Key of the summary with the number of these.
DIFFERENT_CRYSTALS = "duplicate with a different crystal"
FORMULA = column("formula", pa.uint64(), "digest of the reduced formula")
STRUCTURE = column("structure", pa.uint64(), "digest of the structure; 0 for entries of a database")
CONTENT = column("content", pa.uint64(), "digest of all that its source states of a material")


def formula_digest(material: Material) -> int:
    """Return a digest of the formula, which all versions of a material have in common."""
    return stable_hash(material.formula)


def structure_digest(material: Material) -> int:
    """Return a digest of the structure; 0 for an entry, as its database may relax the structure again."""
    return 0 if material.is_of_database else stable_hash(material.structure)


def content_digest(material: Material) -> int:
    """Return a digest of all that a source states of a material."""
    return stable_hash(material.structure, material.formula, material.data)


@dataclass(frozen=True)
class Repeats:
    """Materials whose identifier another one has, too.

    Parameters
    ----------
    materials
        All materials: their columns ``source_file``, ``source_position`` and ``mat_id`` are used.
    first
        Row of the material that each one is compared with, itself or one of its identifier, shape ``(N,)``.
    has_other_crystal, has_other_content
        Whether the two have different crystals, or versions of one crystal, shape ``(N,)``.
    """

    materials: pa.Table
    first: NDArray[np.int64]
    has_other_crystal: NDArray[np.bool_]
    has_other_content: NDArray[np.bool_]

    @classmethod
    def among(cls, materials: pa.Table) -> "Repeats":
        """Compare materials that have the same rank, whatever their order.

        Parameters
        ----------
        materials
            Table with the columns ``rank``, ``formula``, ``structure`` and ``content`` besides the above.
        """
        ranks, formulas, structures, contents = (
            materials[name].to_numpy() for name in ("rank", "formula", "structure", "content")
        )
        order = np.lexsort((contents, structures, formulas, ranks))
        begins = np.ones(len(ranks), bool)
        begins[1:] = ranks[order[1:]] != ranks[order[:-1]]
        first = np.empty(len(ranks), np.int64)
        first[order] = order[np.maximum.accumulate(np.where(begins, np.arange(len(ranks)), 0))]
        are_stated = (structures != 0) & (structures[first] != 0)
        has_other_structure = are_stated & (structures != structures[first])
        has_other_crystal = (formulas != formulas[first]) | has_other_structure
        return cls(materials, first, has_other_crystal, (contents != contents[first]) & ~has_other_crystal)

    @property
    def is_new(self) -> NDArray[np.bool_]:
        """Whether a material is the one that others with its identifier are compared with."""
        return self.first == np.arange(len(self.first))

    @property
    def n_crystals(self) -> int:
        """How many have the identifier of a different crystal."""
        return int(self.has_other_crystal.sum())

    @property
    def reasons(self) -> NDArray[np.object_]:
        """Why each material that is not new is left out."""
        return np.where(self.has_other_crystal, OF_ANOTHER_CRYSTAL, DUPLICATE).astype(object)

    def tell(self) -> None:
        """Report on screen what differs under one identifier; the same material twice is no news."""
        n_versions = int(self.has_other_content.sum())
        if self.n_crystals:
            tell(
                f"left out because a different crystal, or one that is not written alike, has their "
                f"identifier: {self.n_crystals:,}, such as {self._example(self.has_other_crystal)}. Give "
                "different crystals different identifiers, name another column as `id` of the source, or "
                "remove the column: rows without identifiers are numbered."
            )
        if n_versions:
            tell(
                f"left out because the same crystal occurs with other values: {n_versions:,}, such as "
                f"{self._example(self.has_other_content)}"
            )

    def _example(self, chosen: NDArray[np.bool_]) -> str:
        row = int(np.argmax(chosen))
        both = self.materials.take([row, int(self.first[row])]).to_pylist()
        places = [place_in_file(each["source_file"], each["source_position"]) for each in both]
        return f"{both[0]['mat_id']} ({' and '.join(places)})"
