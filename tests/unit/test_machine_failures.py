"""No failure of the machine becomes a result: a rejected material, a missing value, a failed cell."""

import errno
import json

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of
from handmade import rock_salt
from planted_failures import OUT_OF_MEMORY, PLANTED, caused_by, planted, raising
from xgboost.core import XGBoostError

from polyfacet.facets import making
from polyfacet.facets.declaration import Facet, FacetError
from polyfacet.facets.image.bonding import OrderedStructureGraph, bonded
from polyfacet.facets.image.cif_scene import scene_of_cif
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.materials import crystal_objectives, twins
from polyfacet.materials.cif import write_cif
from polyfacet.materials.crystal_objectives import CrystalObjective, derive
from polyfacet.materials.formula import FormulaError
from polyfacet.materials.twins import Candidate, twin_groups
from polyfacet.runtime import picture_decoding
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.machine_failures import machine_failure
from polyfacet.runtime.picture_decoding import decode_png
from polyfacet.runtime.rejects import Reject
from polyfacet.training.cells import train
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.engines.dummy.engine import Dummy

SALT = rock_salt("Na", "Cl", 5.64)


def numpys_error() -> MemoryError:
    with pytest.raises(MemoryError) as caught:
        np.empty(2**45)
    return caught.value


OF_THE_MACHINE = [
    MemoryError(),
    numpys_error(),
    RuntimeError("std::bad_alloc"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
        "to allocate 8 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
    RuntimeError("QH6082 qhull error (qh_memalloc): insufficient memory to allocate 8 bytes"),
    XGBoostError("bad_malloc: Failed to allocate 800 bytes"),
    XGBoostError("std::bad_alloc"),
    RuntimeError("unable to write to file </torch_1_2_3>: No space left on device (28)"),
    RuntimeError("unable to open shared memory object: Too many open files (24)"),
    RuntimeError("can't start new thread"),
    OSError("out of memory error when reading image file"),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EIO, "Input/output error"),
    caused_by(MemoryError(), ValueError("no structures")),
]
NOT_OF_THE_MACHINE = [
    FormulaError("'bad_alloc' cannot be read"),
    UserError("the column 'out of memory' is missing"),
    caused_by(FileNotFoundError(errno.ENOENT, "no such file"), ValueError("no structures")),
    RuntimeError("QH6154 Qhull precision error: Initial simplex is flat"),
    XGBoostError("Invalid parameter"),
]


@pytest.mark.parametrize("error", OF_THE_MACHINE, ids=repr)
def test_a_failure_of_the_machine_does_not_become_a_reject(error):
    failure = machine_failure(error)
    assert failure is (error.__cause__ or error)
    with pytest.raises(type(failure)) as caught:
        Reject.because_of("m", error)
    assert caught.value is failure


@pytest.mark.parametrize("error", NOT_OF_THE_MACHINE, ids=repr)
def test_a_reason_for_rejection_is_not_a_failure_of_the_machine(error):
    assert machine_failure(error) is None
    assert Reject.because_of("m", error).reason == str(error)


@planted
def test_a_crystal_is_not_drawn_without_bonds_for_lack_of_memory(monkeypatch, error):
    monkeypatch.setattr(OrderedStructureGraph, "from_local_env_strategy", raising(error))
    with pytest.raises(OUT_OF_MEMORY):
        bonded(SALT)


@planted
def test_a_crystal_is_not_left_without_a_scene_or_picture_for_lack_of_memory(monkeypatch, tmp_path, error):
    write_cif(SALT, tmp_path / "salt.cif")
    monkeypatch.setattr("polyfacet.facets.image.cif_scene.crystal_scene", raising(error))
    with pytest.raises(OUT_OF_MEMORY):
        scene_of_cif(tmp_path / "salt.cif", RenderSettings())


@planted
def test_crystals_are_not_left_uncompared_for_lack_of_memory(monkeypatch, error):
    monkeypatch.setattr(twins, "match", raising(error))
    cells = {"a": rock_salt("Zn", "S", 5.0), "b": rock_salt("Zn", "S", 5.2)}
    with pytest.raises(OUT_OF_MEMORY):
        twin_groups([Candidate(name, json.dumps(cell.as_dict())) for name, cell in cells.items()])


@pytest.mark.parametrize("error", [*PLANTED, caused_by(MemoryError(), FacetError("no packing"))], ids=repr)
def test_a_facet_of_a_user_is_not_left_out_for_lack_of_memory(error):
    facet = Facet("packing", "packing", "vector", needs="structure", make=raising(error))
    with pytest.raises((*OUT_OF_MEMORY, FacetError)) as caught:
        making._made(facet, "m", lambda _: SALT, None)
    with pytest.raises(OUT_OF_MEMORY):
        Reject.because_of("m", caught.value)


def test_an_objective_of_a_user_is_not_missing_for_lack_of_memory():
    objective = crystal_objectives.GAP
    short = caused_by(MemoryError(), KeyError("bands"))
    with pytest.raises(OUT_OF_MEMORY):
        derive(CrystalObjective(**{**vars(objective), "derive": raising(short)}), None)


def test_a_picture_is_not_damaged_for_lack_of_memory(monkeypatch):
    monkeypatch.setattr(picture_decoding.Image, "open", raising(OSError("out of memory error when reading")))
    with pytest.raises(OSError, match="out of memory"):
        decode_png(b"")


@pytest.mark.parametrize(
    "error",
    [caused_by(error, EngineError("diverged")) for error in OF_THE_MACHINE],
    ids=lambda e: repr(e.__cause__),
)
def test_a_cell_does_not_fail_for_lack_of_memory(monkeypatch, tmp_path, error):
    rows = pd.DataFrame(
        {
            "mat_id": [f"m{i}" for i in range(10)],
            "formula": [f"F{i}" for i in range(10)],
            "gap": [float(i) for i in range(10)],
            "facets": [["text"]] * 10,
            "group": [f"m{i}" for i in range(10)],
            "part": ["train"] * 6 + ["valid"] * 2 + ["test"] * 2,
        }
    )
    monkeypatch.setattr(Dummy, "learn", raising(error))
    engine = create("dummy", {"statistic": "mean"}, Resources(seed=0))
    with pytest.raises(type(machine_failure(error))):
        train(cell_of((), crystal_objectives.GAP.objective), engine, rows, tmp_path / "model")
