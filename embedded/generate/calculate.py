"""Relax one crystal with GPAW and write what the calculation gives as one small JSON file.

Runs under any Python that has GPAW, ASE and NumPy. A crystal that fails leaves a file too: the reason.
"""

import argparse
import json
import multiprocessing
import re
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ase
import gpaw
import numpy as np
from ase import Atoms
from ase.calculators.calculator import kptdensity2monkhorstpack
from ase.constraints import UnitCellFilter
from ase.optimize import BFGS
from electronic import band_gaps, dos_at_fermi_level
from gpaw import GPAW, PW, FermiDirac
from prototypes import PROTOTYPES, dimer
from settings import SETTINGS, digest
from stored_results import Json, read_document, result_of, write_json

#: Initial moments of molecules in Bohr magnetons per atom.
MOLECULE_MOMENTS = {"O": 1.0}
#: Cutoffs, relative to the cutoff, between which the Pulay stress is taken. GPAW's own estimate from the
#: atoms is too large for oxygen: at 600 eV it shifts the lattice constant of MgO by 0.7 %.
CUTOFF_STEPS = (0.96, 1.04)
#: Curvature guessed for the first relaxation step, in eV/Angstrom^2.
INITIAL_CURVATURE = 30.0


def is_molecule(spec: Mapping[str, Any]) -> bool:
    """Whether a specification is a molecule in a box instead of a crystal."""
    return bool(spec["prototype"] == "molecule")


def build(spec: Mapping[str, Any]) -> Atoms:
    """Build the starting structure with its starting moments.

    Parameters
    ----------
    spec : mapping
        ``prototype``, ``sites`` and, as the prototype needs, ``lattice``, ``internal``, ``bond_length``,
        ``antiferromagnetic``.

    Returns
    -------
    Atoms
        The cell to be calculated.
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
    """Size of the starting cell's k-point grid with at least the density, in points per inverse Angstrom."""
    if is_molecule(spec):
        return (1, 1, 1)
    first, second, third = kptdensity2monkhorstpack(build(spec), density, even=False)
    return (int(first), int(second), int(third))


def attach_calculator(
    atoms: Atoms, grid: tuple[int, int, int], log: Path, cutoff: float, dedecut: float = 0.0
) -> None:
    """Give a structure a GPAW calculator on a gamma-centred grid.

    Parameters
    ----------
    atoms : Atoms
        Structure that is to be calculated.
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
        # GPAW's own choice stops at the size of a minimal basis: no empty band in zinc or calcium.
        nbands=-(4 + len(atoms)),
        kpts={"size": grid, "gamma": True},
        occupations=FermiDirac(SETTINGS["fermi_dirac_width_ev"]),
        convergence={"energy": 1e-4, "eigenstates": 1e-6},
        # Relaxation leaves rounding noise in the cell; the default of 1e-7 would lose the symmetry to it.
        symmetry={"tolerance": 1e-5},
        maxiter=150,
        txt=str(log),
    )


def cutoff_derivative(spec: Mapping[str, Any], cutoff: float, log: Path) -> float:
    """Differentiate the energy of the starting structure with respect to the cutoff (central difference).

    Parameters
    ----------
    spec : mapping
        The crystal; a molecule has no stress to correct and gets 0.
    cutoff : float
        Plane-wave cutoff in eV.
    log : Path
        GPAW's log.

    Returns
    -------
    float
        The derivative, dimensionless, on the k-point grid set aside for it.
    """
    if is_molecule(spec):
        return 0.0
    grid = kpoint_grid(spec, SETTINGS["kpoint_density_pulay"])
    cutoffs = [step * cutoff for step in CUTOFF_STEPS]
    energies = []
    for value in cutoffs:
        atoms = build(spec)
        attach_calculator(atoms, grid, log, value)
        energies.append(atoms.get_potential_energy())
    return float((energies[1] - energies[0]) / (cutoffs[1] - cutoffs[0]))


def relax(atoms: Atoms, relaxed: str, log: Path) -> tuple[int, bool]:
    """Relax a structure in place.

    Parameters
    ----------
    atoms : Atoms
        Structure with its calculator.
    relaxed : str
        As in :class:`prototypes.Prototype`.
    log : Path
        Where the optimizer writes its steps.

    Returns
    -------
    tuple of int and bool
        Number of steps and whether forces and stress went below the tolerance. A structure that is kept as
        it is counts as converged after no step.
    """
    if relaxed == "none":
        return 0, True
    target = atoms
    if relaxed in {"cell", "volume"}:
        # This cell factor makes a strain about as stiff as a displacement whatever the number of atoms.
        factor = len(atoms) ** 0.5
        target = UnitCellFilter(atoms, hydrostatic_strain=relaxed == "volume", cell_factor=factor)
    optimizer = BFGS(target, alpha=INITIAL_CURVATURE, logfile=str(log))
    converged = optimizer.run(
        fmax=SETTINGS["force_tolerance_ev_per_angstrom"], steps=SETTINGS["relaxation_steps"]
    )
    return optimizer.get_number_of_steps(), bool(converged)


def levels(calc: GPAW) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (n_spins, n_kpoints, n_bands) in eV and k-point weights of a finished calculation."""
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


def describe(atoms: Atoms, molecule: bool) -> Json:
    """Read every stored property off a finished calculation: structure, energy, stress, bands, moments."""
    calc = atoms.calc
    energy = atoms.get_potential_energy()
    eigenvalues, weights = levels(calc)
    fermi_level = calc.get_fermi_level()
    indirect, direct = band_gaps(eigenvalues, fermi_level)
    width = SETTINGS["fermi_dirac_width_ev"]
    return {
        "lattice": rounded(atoms.cell.array, 6),
        "symbols": list(atoms.get_chemical_symbols()),
        "positions": rounded(atoms.get_scaled_positions(), 6),
        "energy": rounded(energy, 6),
        "band_gap_ind": rounded(indirect, 4),
        "band_gap_dir": rounded(direct, 4),
        "dos_ef": rounded(dos_at_fermi_level(eigenvalues, weights, fermi_level, width), 5),
        "total_mag": rounded(calc.get_magnetic_moment(), 4),
        "magmoms": rounded(calc.get_magnetic_moments(), 3),
        "stress": None if molecule else rounded(atoms.get_stress(voigt=False), 6),
        "kpoints": len(weights),
    }


def single_point(
    spec: Mapping[str, Any],
    structure: Atoms,
    grid: tuple[int, int, int],
    log: Path,
    cutoff: float,
    dedecut: float,
) -> Json:
    """Calculate a crystal afresh, from its starting moments, at a fixed structure.

    Parameters
    ----------
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    structure : Atoms
        Cell and positions.
    grid, log, cutoff, dedecut
        As in :func:`attach_calculator`.

    Returns
    -------
    dict
        Its properties, as in :func:`describe`.
    """
    atoms = build(spec)
    atoms.set_cell(structure.cell)
    atoms.set_scaled_positions(structure.get_scaled_positions())
    attach_calculator(atoms, grid, log, cutoff, dedecut)
    return describe(atoms, is_molecule(spec))


def calculate(spec: Mapping[str, Any], log: Path) -> Json:
    """Relax one crystal, then calculate it afresh on the finer k-point grid.

    Parameters
    ----------
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    log : Path
        GPAW's log; the optimizer's goes beside it.

    Returns
    -------
    dict
        The result, ready for JSON; keys as in :func:`describe` plus how it was made.
    """
    started, cpu = time.monotonic(), time.process_time()
    relaxed = "positions" if is_molecule(spec) else PROTOTYPES[spec["prototype"]].relaxed
    cutoff = SETTINGS["cutoff_ev"]
    dedecut = cutoff_derivative(spec, cutoff, log)
    atoms = build(spec)
    grid = kpoint_grid(spec, SETTINGS["kpoint_density_relaxation"])
    attach_calculator(atoms, grid, log, cutoff, dedecut)
    steps, converged = relax(atoms, relaxed, log.with_suffix(".steps"))
    fine_grid = kpoint_grid(spec, SETTINGS["kpoint_density_final"])
    final = single_point(spec, atoms, fine_grid, log.with_suffix(".final"), cutoff, dedecut)
    return {
        **final,
        "relaxed": relaxed,
        "relaxation_steps": steps,
        "relaxation_converged": converged,
        "wall_s": rounded(time.monotonic() - started, 1),
        "cpu_s": rounded(time.process_time() - cpu, 1),
    }


def identified(mat_id: str, spec: Mapping[str, Any]) -> Json:
    """Say what was calculated and with what: the part that every result has, failed or not."""
    return {
        "mat_id": mat_id,
        "prototype": spec["prototype"],
        "sites": list(spec["sites"]),
        "digest": digest(spec),
        "versions": {"gpaw": gpaw.__version__, "ase": ase.__version__, "numpy": np.__version__},
    }


def restore(mat_id: str, spec: Mapping[str, Any], finished: Path) -> Json | None:
    """Take a result out of the assembled entries, if they hold this crystal at these settings."""
    document = read_document(finished)
    for entry in [*document["entries"], *document["molecular_references"]]:
        if entry["data"]["mat_id"] == mat_id and entry["parameters"]["digest"] == digest(spec):
            return result_of(entry)
    return None


def _attempt(mat_id: str, spec: Mapping[str, Any], output: Path, log: Path, limit_s: int) -> None:
    # CPU time, not wall time: what fails must not depend on what else the machine is doing.
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 10))
    try:
        result = calculate(spec, log)
    # Whatever goes wrong is this crystal's recorded failure.
    except Exception as error:
        result = {"failure": re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")}
    write_json(output, {**identified(mat_id, spec), **result})


def main(mat_id: str, spec: Mapping[str, Any], output: Path, log: Path, finished: Path, limit_s: int) -> None:
    """Calculate one crystal, or restore it from the assembled entries, and write its JSON file.

    Parameters
    ----------
    mat_id : str
        Identifier of the crystal.
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    output : Path
        The result, or the failure.
    log : Path
        GPAW's log.
    finished : Path
        Assembled entries of earlier runs; may be absent.
    limit_s : int
        Limit in seconds of CPU time; a crystal that passes it is a failure.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    earlier = restore(mat_id, spec, finished)
    if earlier is not None:
        write_json(output, earlier)
        return
    output.unlink(missing_ok=True)
    # A process of its own: a crash or a calculation past its limit must not take the record of it along.
    process = multiprocessing.Process(target=_attempt, args=(mat_id, spec, output, log, limit_s))
    process.start()
    process.join()
    if process.exitcode == -signal.SIGXCPU:
        write_json(
            output, {**identified(mat_id, spec), "failure": f"passed the limit of {limit_s} s of CPU time"}
        )
    elif not output.exists():
        write_json(output, {**identified(mat_id, spec), "failure": f"died with exit code {process.exitcode}"})


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mat-id", required=True)
    parser.add_argument("--spec", required=True, type=json.loads, help="the crystal as JSON")
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--log", required=True, type=Path)
    parser.add_argument("--finished", required=True, type=Path)
    parser.add_argument("--limit-s", type=int, default=360)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main(**vars(_arguments(sys.argv[1:])))
