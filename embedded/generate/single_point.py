"""One GPAW calculation at a fixed structure: the cell of a crystal, its calculator and its results.

Runs under any Python that has GPAW, ASE, NumPy and SciPy.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import kptdensity2monkhorstpack
from electronic import band_gaps, dos_at_fermi_level
from gpaw import GPAW, PW, FermiDirac
from interpolation import interpolated_dos, on_full_grid
from prototypes import PROTOTYPES, dimer
from settings import DOS_SETTINGS, SETTINGS, dos_digest
from stored_results import Json

#: Initial moments of molecules in Bohr magnetons per atom.
MOLECULE_MOMENTS = {"O": 1.0}


def is_molecule(spec: Mapping[str, Any]) -> bool:
    """Return whether a specification is a molecule in a box rather than a crystal."""
    return bool(spec["prototype"] == "molecule")


def build(spec: Mapping[str, Any]) -> Atoms:
    """Build the initial structure with its initial moments.

    Parameters
    ----------
    spec : mapping
        ``prototype``, ``sites`` and, depending on the prototype, ``lattice``, ``internal``, ``bond_length``,
        ``antiferromagnetic``.

    Returns
    -------
    Atoms
        The cell to calculate.
    """
    if is_molecule(spec):
        atoms = dimer(spec["sites"][0], spec["bond_length"])
        moments = [MOLECULE_MOMENTS.get(symbol, 0.0) for symbol in atoms.symbols]
    else:
        prototype = PROTOTYPES[spec["prototype"]]
        atoms = prototype.build(spec["sites"], spec["lattice"], spec.get("internal", ()))
        moments = [SETTINGS["magnetic_moments"].get(symbol, 0.0) for symbol in atoms.symbols]
    if spec.get("antiferromagnetic"):
        moments = [moment * (-1) ** index for index, moment in enumerate(moments)]
    if any(moments):
        atoms.set_initial_magnetic_moments(moments)
    return atoms


def kpoint_grid(spec: Mapping[str, Any], density: float) -> tuple[int, int, int]:
    """Return the initial cell's k-point grid of at least this density, in points per inverse Angstrom."""
    if is_molecule(spec):
        return (1, 1, 1)
    first, second, third = kptdensity2monkhorstpack(build(spec), density, even=False)
    return (int(first), int(second), int(third))


def stored_structure(spec: Mapping[str, Any], result: Mapping[str, Any]) -> Atoms:
    """Rebuild the final structure of a result, undoing the rounding that breaks the symmetry of its cell.

    Parameters
    ----------
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    result : mapping
        Its result; ``lattice`` and ``positions`` are rounded to six digits.

    Returns
    -------
    Atoms
        The structure with its initial moments.

    Raises
    ------
    ValueError
        When the cell is not the initial one stretched along the axes of its crystal system.
    """
    atoms = build(spec)
    if not is_molecule(spec):
        stretch = np.linalg.solve(atoms.cell.array, np.array(result["lattice"]))
        along = np.diag(stretch).copy()
        equal = {"cubic": slice(0, 3), "hexagonal": slice(0, 2), "tetragonal": slice(0, 2)}
        axes = equal.get(PROTOTYPES[spec["prototype"]].system, slice(0, 0))
        along[axes] = along[axes].mean() if along[axes].size else along[axes]
        cell = atoms.cell.array * along
        if not np.allclose(cell, result["lattice"], rtol=0, atol=1e-5):
            raise ValueError(f"{result['mat_id']} does not have the shape of {spec['prototype']}")
        atoms.set_cell(cell)
    atoms.set_scaled_positions(result["positions"])
    return atoms


def attach_calculator(
    atoms: Atoms, grid: tuple[int, int, int], log: Path, cutoff: float, dedecut: float = 0.0
) -> None:
    """Attach a GPAW calculator on a gamma-centred grid to a structure.

    Parameters
    ----------
    atoms : Atoms
        Structure to calculate.
    grid : tuple of int
        Size of the k-point grid.
    log : Path
        GPAW's log.
    cutoff : float
        Plane-wave cutoff in eV.
    dedecut : float
        Derivative of the energy with respect to the cutoff, dimensionless; corrects the stress.
    """
    atoms.calc = GPAW(
        mode=PW(cutoff, dedecut=dedecut),
        xc=SETTINGS["functional"],
        # GPAW's default is limited to the size of a minimal basis: no empty bands in zinc or calcium.
        nbands=-(4 + len(atoms)),
        kpts={"size": grid, "gamma": True},
        occupations=FermiDirac(SETTINGS["fermi_dirac_width_ev"]),
        convergence={"energy": 1e-4, "eigenstates": 1e-6},
        # Relaxation leaves rounding noise in the cell, which would break the symmetry at the default of 1e-7.
        symmetry={"tolerance": 1e-5},
        maxiter=150,
        txt=str(log),
    )


def levels(calc: GPAW) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues in eV (n_spins, n_kpoints, n_bands) and k-point weights of a calculation."""
    weights = np.asarray(calc.get_k_point_weights())
    eigenvalues = np.array(
        [
            [calc.get_eigenvalues(kpt=k, spin=s) for k in range(len(weights))]
            for s in range(calc.get_number_of_spins())
        ]
    )
    return eigenvalues, weights


def rounded(values: Sequence[Any] | np.ndarray | float, digits: int) -> Any:
    """Round numbers of any shape for JSON, without negative zeros."""
    return (np.round(np.asarray(values, dtype=float), digits) + 0.0).tolist()


def dos_at_fermi(calc: GPAW, grid: tuple[int, int, int], gap: float) -> float:
    """Return the density of states at the Fermi level of a finished calculation.

    Parameters
    ----------
    calc : GPAW
        The calculation.
    grid : tuple of int
        Size of the k-point grid whose levels are interpolated.
    gap : float
        Band gap in eV; above a limit, the few states that the broadening puts into it are taken from the
        calculation itself.

    Returns
    -------
    float
        States per eV and cell.
    """
    width = SETTINGS["fermi_dirac_width_ev"]
    if gap > DOS_SETTINGS["gap_without_interpolation_ev"]:
        return dos_at_fermi_level(*levels(calc), calc.get_fermi_level(), width)
    fixed = calc.fixed_density(
        kpts={"size": grid, "gamma": True},
        convergence={"eigenstates": DOS_SETTINGS["eigenstates_ev2"]},
        txt=None,
    )
    eigenvalues, _ = levels(fixed)
    full = on_full_grid(eigenvalues, fixed.get_bz_to_ibz_map(), grid)
    finer = DOS_SETTINGS["kpoint_density_interpolated"] / DOS_SETTINGS["kpoint_density"]
    return interpolated_dos(full, calc.get_number_of_electrons(), width, [round(finer)] * 3)[0]


def describe(atoms: Atoms, dos_grid: tuple[int, int, int], molecule: bool) -> Json:
    """Extract all stored properties from a finished calculation: structure, energy, stress, bands, moments.

    Parameters
    ----------
    atoms : Atoms
        Structure with its finished calculator.
    dos_grid : tuple of int
        Grid of :func:`dos_at_fermi`.
    molecule : bool
        Whether it is a molecule in a box, for which no stress is recorded.

    Returns
    -------
    dict
        The properties, rounded for JSON.
    """
    calc = atoms.calc
    energy = atoms.get_potential_energy()
    eigenvalues, weights = levels(calc)
    indirect, direct = band_gaps(eigenvalues, calc.get_fermi_level())
    return {
        "lattice": rounded(atoms.cell.array, 6),
        "symbols": list(atoms.get_chemical_symbols()),
        "positions": rounded(atoms.get_scaled_positions(), 6),
        "energy": rounded(energy, 6),
        "band_gap_ind": rounded(indirect, 4),
        "band_gap_dir": rounded(direct, 4),
        "dos_ef": rounded(dos_at_fermi(calc, dos_grid, indirect), 5),
        "dos_digest": dos_digest(),
        "total_mag": rounded(calc.get_magnetic_moment(), 4),
        "magmoms": rounded(calc.get_magnetic_moments(), 3),
        "stress": None if molecule else rounded(atoms.get_stress(voigt=False), 6),
        "kpoints": len(weights),
    }


def single_point(
    spec: Mapping[str, Any],
    structure: Atoms,
    kpoint_density: float,
    log: Path,
    cutoff: float,
    dedecut: float,
) -> Json:
    """Calculate a crystal from its initial moments at a fixed structure.

    Parameters
    ----------
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    structure : Atoms
        Cell and positions.
    kpoint_density : float
        Points per inverse Angstrom. The grid for the density of states is denser by the same factor as in
        production.
    log, cutoff, dedecut
        As in :func:`attach_calculator`.

    Returns
    -------
    dict
        Its properties, as in :func:`describe`.
    """
    atoms = build(spec)
    atoms.set_cell(structure.cell)
    atoms.set_scaled_positions(structure.get_scaled_positions())
    attach_calculator(atoms, kpoint_grid(spec, kpoint_density), log, cutoff, dedecut)
    denser = DOS_SETTINGS["kpoint_density"] / SETTINGS["kpoint_density_final"]
    return describe(atoms, kpoint_grid(spec, kpoint_density * denser), is_molecule(spec))
