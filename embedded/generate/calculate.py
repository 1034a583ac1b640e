"""Relax one crystal with GPAW and write the results as one small JSON file.

Runs under any Python that has GPAW, ASE and NumPy. A failed crystal leaves a file with the reason.
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
from ase.constraints import UnitCellFilter
from ase.optimize import BFGS
from prototypes import PROTOTYPES
from settings import SETTINGS, digest
from single_point import (
    attach_calculator,
    build,
    is_molecule,
    kpoint_grid,
    rounded,
    single_point,
    stored_structure,
)
from stored_results import Json, finished_results, is_complete, latest, write_json

#: Energies per atom (eV) that differ by more than this belong to different states of one crystal.
SAME_STATE_EV_PER_ATOM = 1e-3

#: Cutoffs, relative to the cutoff, between which the Pulay stress is evaluated. GPAW's own estimate from the
#: atoms is too large for oxygen: at 600 eV it shifts the lattice constant of MgO by 0.7 %.
CUTOFF_STEPS = (0.96, 1.04)
#: Curvature assumed for the first relaxation step, in eV/Angstrom^2.
INITIAL_CURVATURE = 30.0


def cutoff_derivative(spec: Mapping[str, Any], cutoff: float, log: Path) -> float:
    """Differentiate the energy of the starting structure with respect to the cutoff (central difference).

    Parameters
    ----------
    spec : mapping
        The crystal; for a molecule, which has no stress to correct, the derivative is 0.
    cutoff : float
        Plane-wave cutoff in eV.
    log : Path
        GPAW's log.

    Returns
    -------
    float
        The derivative, dimensionless, on the k-point grid reserved for it.
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
        Number of steps, and whether forces and stress fell below the tolerance. A structure that is not
        relaxed counts as converged after 0 steps.
    """
    if relaxed == "none":
        return 0, True
    target = atoms
    if relaxed in {"cell", "volume"}:
        # This cell factor makes a strain about as stiff as a displacement for any number of atoms.
        factor = len(atoms) ** 0.5
        target = UnitCellFilter(atoms, hydrostatic_strain=relaxed == "volume", cell_factor=factor)
    optimizer = BFGS(target, alpha=INITIAL_CURVATURE, logfile=str(log))
    converged = optimizer.run(
        fmax=SETTINGS["force_tolerance_ev_per_angstrom"], steps=SETTINGS["relaxation_steps"]
    )
    return optimizer.get_number_of_steps(), bool(converged)


def calculate(spec: Mapping[str, Any], log: Path) -> Json:
    """Relax one crystal, then recalculate it on the finer k-point grid.

    Parameters
    ----------
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    log : Path
        GPAW's log; the optimizer's log is written next to it.

    Returns
    -------
    dict
        The result, ready for JSON; keys as in :func:`describe`, plus its provenance.
    """
    started, cpu = time.monotonic(), time.process_time()
    relaxed = "positions" if is_molecule(spec) else PROTOTYPES[spec["prototype"]].relaxed
    cutoff = SETTINGS["cutoff_ev"]
    dedecut = cutoff_derivative(spec, cutoff, log)
    atoms = build(spec)
    grid = kpoint_grid(spec, SETTINGS["kpoint_density_relaxation"])
    attach_calculator(atoms, grid, log, cutoff, dedecut)
    steps, converged = relax(atoms, relaxed, log.with_suffix(".steps"))
    density = SETTINGS["kpoint_density_final"]
    final = single_point(spec, atoms, density, log.with_suffix(".final"), cutoff, dedecut)
    return {
        **final,
        "relaxed": relaxed,
        "relaxation_steps": steps,
        "relaxation_converged": converged,
        "wall_s": rounded(time.monotonic() - started, 1),
        "cpu_s": rounded(time.process_time() - cpu, 1),
    }


def refine(spec: Mapping[str, Any], earlier: Mapping[str, Any], log: Path) -> Json:
    """Recompute the density of states at the Fermi level of a crystal, at its final structure.

    Parameters
    ----------
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    earlier : mapping
        Its result with a different estimate of that density; all else in it is kept.
    log : Path
        GPAW's log.

    Returns
    -------
    dict
        The result with the present estimate.

    Raises
    ------
    ValueError
        When the calculation ends in a different state than the earlier one, as a magnet may.
    """
    cpu = time.process_time()
    again = single_point(
        spec,
        stored_structure(spec, earlier),
        SETTINGS["kpoint_density_final"],
        log.with_suffix(".final"),
        SETTINGS["cutoff_ev"],
        0.0,
    )
    difference = (again["energy"] - earlier["energy"]) / len(earlier["symbols"])
    if abs(difference) > SAME_STATE_EV_PER_ATOM:
        raise ValueError(f"at its final structure the energy is {difference:+.4f} eV/atom off")
    return {
        **earlier,
        "dos_ef": again["dos_ef"],
        "dos_digest": again["dos_digest"],
        "cpu_s": rounded(earlier["cpu_s"] + time.process_time() - cpu, 1),
    }


def identified(mat_id: str, spec: Mapping[str, Any]) -> Json:
    """Return what was calculated and with which software: common to all results, failed or not."""
    return {
        "mat_id": mat_id,
        "prototype": spec["prototype"],
        "sites": list(spec["sites"]),
        "digest": digest(spec),
        "versions": {"gpaw": gpaw.__version__, "ase": ase.__version__, "numpy": np.__version__},
    }


def restore(mat_id: str, spec: Mapping[str, Any], finished: Sequence[Path]) -> Json | None:
    """Return the result of a crystal at the present settings from finished results.

    Parameters
    ----------
    mat_id : str
        Identifier of the crystal.
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    finished : sequence of Path
        Files of :func:`stored_results.finished_results`, later ones last.

    Returns
    -------
    dict or None
        The result, selected as by :func:`stored_results.latest`; None if there is none.
    """
    results = (result for path in finished for result in finished_results(path))
    return latest(results, {mat_id: spec}).get(mat_id)


def _attempt(
    mat_id: str, spec: Mapping[str, Any], earlier: Json | None, output: Path, log: Path, limit_s: int
) -> None:
    # CPU time, not wall time: failures must not depend on the load of the machine.
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 10))
    try:
        result = calculate(spec, log) if earlier is None else refine(spec, earlier, log)
    # Any error is recorded as this crystal's failure.
    except Exception as error:
        result = {"failure": re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")}
    write_json(output, {**identified(mat_id, spec), **result})


def main(
    mat_id: str, spec: Mapping[str, Any], output: Path, log: Path, finished: Sequence[Path], limit_s: int
) -> None:
    """Calculate one crystal, or its parts that finished results lack, and write its JSON file.

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
    finished : sequence of Path
        Results of earlier runs, as for :func:`restore`; the files may be absent.
    limit_s : int
        Limit in seconds of CPU time; a crystal that exceeds it is a failure.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    earlier = restore(mat_id, spec, finished)
    if earlier is not None and is_complete(earlier):
        write_json(output, earlier)
        return
    output.unlink(missing_ok=True)
    # In a separate process: a crash or an exceeded limit must still be recorded.
    process = multiprocessing.Process(target=_attempt, args=(mat_id, spec, earlier, output, log, limit_s))
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
    parser.add_argument("--finished", required=True, type=Path, nargs="+")
    parser.add_argument("--limit-s", type=int, default=360)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main(**vars(_arguments(sys.argv[1:])))
