"""Run everything that needs a GPU, and write what came out into docs/gpu.md.

Usage: python benchmarks/on_gpu.py [--page docs/gpu.md]
       python benchmarks/on_gpu.py --device cpu --page /tmp/page.md   # to try the script without a GPU

Each part runs in its own process with a time limit, and all together take less than eight minutes: the limits
add up to seven, which leaves one for finding the GPU and writing the page.  A part whose packages are missing
is skipped, with the reason; one that fails or disagrees makes the exit status 1.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "gpu.md"
ENTRIES = PROJECT / "embedded" / "entries.json.bz2"
LAST_RUN = "Last run:"
N_CRYSTALS = 200
N_PICTURES = 40
SEED = 42
MIB = 2**20
MARK = "RESULT "

# Largest differences between GPU and CPU: sums in double precision; a network in single precision.
SUMS_WITHIN = 1e-10
EMBEDDINGS_WITHIN = 1e-3
STEP_WITHIN = 1e-3


class Part(NamedTuple):
    """A part of the run: what it is about, its packages, its time limit, and its function of the device."""

    title: str
    packages: tuple[str, ...]
    limit_s: int
    run: Callable[[str], dict[str, str]]


class DisagreementError(Exception):
    """GPU and CPU differ by more than rounding."""


def main() -> int:
    """Run all parts and write the page; or run one part, in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", type=Path, help=f"default with a GPU: {PAGE.relative_to(PROJECT)}")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--part", choices=PARTS)
    options = parser.parse_args()
    if options.page is None:
        if options.device == "cpu" and not options.part:
            parser.error(f"name a --page: {PAGE.name} is about runs on a GPU")
        options.page = PAGE
    if options.part:
        print(MARK + json.dumps(PARTS[options.part].run(options.device)))
        return 0
    start = time.monotonic()
    outcomes = {name: outcome_of(name, part, options.device) for name, part in PARTS.items()}
    minutes = (time.monotonic() - start) / 60
    ran = options.device == "cuda" and any("skipped" not in outcome for outcome in outcomes.values())
    if not ran and options.page.is_file() and LAST_RUN in options.page.read_text(encoding="utf-8"):
        print(f"{minutes:.1f} minutes; nothing ran on a GPU, so that {options.page} stays as it is")
    else:
        options.page.write_text(page(outcomes, ran, minutes), encoding="utf-8")
        print(f"{minutes:.1f} minutes; {options.page}")
    return int(any("failed" in outcome for outcome in outcomes.values()))


def outcome_of(name: str, part: Part, device: str) -> dict[str, str]:
    """Run a part in its own process; return its numbers, or why there are none."""
    missing = [package for package in part.packages if importlib.util.find_spec(package) is None]
    if missing:
        outcome = {"skipped": f"not installed: {', '.join(missing)}"}
    elif device == "cuda" and not finds_gpu():
        outcome = {"skipped": "PyTorch finds no GPU"}
    else:
        outcome = result_of(name, part, device)
    print(f"{part.title}: {outcome}", flush=True)
    return outcome


@cache
def finds_gpu() -> bool:
    """Return whether PyTorch finds a GPU; asked in another process, which frees the GPU's memory."""
    command = [sys.executable, "-c", "import sys, torch; sys.exit(not torch.cuda.is_available())"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own


def result_of(name: str, part: Part, device: str) -> dict[str, str]:
    """Run a part in its own process, for no longer than its limit."""
    command = [sys.executable, __file__, "--part", name, "--device", device]
    try:
        done = subprocess.run(  # noqa: S603 - our own
            command, capture_output=True, text=True, timeout=part.limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {part.limit_s} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]}
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    result: dict[str, str] = json.loads(line.removeprefix(MARK))
    return result


def page(outcomes: Mapping[str, Mapping[str, str]], ran: bool, minutes: float) -> str:
    """Write the page of the documentation."""
    said = "**It has never run on a GPU.** What follows says why, for each part."
    if ran:
        said = f"{LAST_RUN} {date.today().isoformat()}, on {gpu_name()}, in {minutes:.1f} minutes."
    lines = [HEADER, said, "", "| part | result | |", "| --- | --- | --- |"]
    for name, part in PARTS.items():
        rows = outcomes[name].items()
        lines += [
            f"| {part.title if i == 0 else ''} | {what} | {value} |" for i, (what, value) in enumerate(rows)
        ]
    return "\n".join([*lines, ""])


def gpu_name() -> str:
    """Return the name of the GPU."""
    import torch

    return str(torch.cuda.get_device_name())


def embedded_crystals(n: int) -> dict[str, Any]:
    """Read the first embedded crystals."""
    from pymatgen.core import Structure

    from polyfacet.sources.alexandria.entries import read_entries

    entries = (entry for _, entry in islice(read_entries(ENTRIES), n))
    return {entry["data"]["mat_id"]: Structure.from_dict(entry["structure"]) for entry in entries}


def graph_inputs(n: int) -> dict[str, Any]:
    """Convert the first embedded crystals to what graphs are built from."""
    from polyfacet.materials.crystal import crystal_from_structure

    return {mat_id: crystal_from_structure(each) for mat_id, each in embedded_crystals(n).items()}


def graphs(n: int) -> list[Any]:
    """Build the graphs of the first embedded crystals."""
    from polyfacet.facets.graph.crystal_graph import build_graphs

    return build_graphs(graph_inputs(n), pauli="paper", neighbours=16, min_radius=4.0)


def seconds(action: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Time an action after all work of the GPU is done; return its result, too."""
    import torch

    start = time.monotonic()
    result = action()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - start, result


def rates(n: int, there_s: float, on_cpu_s: float) -> str:
    """Return how many of something a second takes, on the device and on the processor."""
    return f"{n / there_s:,.0f} (processor: {n / on_cpu_s:,.0f})"


def memory(device: str) -> str:
    """Return the largest memory of the GPU that this process has held."""
    import torch

    return (
        f"{torch.cuda.max_memory_allocated() / MIB:,.0f} MiB"
        if device == "cuda"
        else "none: on the processor"
    )


def agreeing(what: str, difference: float, within: float) -> str:
    """Return a difference as text.

    Raises
    ------
    DisagreementError
        If it is larger than allowed.
    """
    if not difference <= within:
        raise DisagreementError(f"{what} differ by {difference:.1e}, more than {within:.0e}")
    return f"{difference:.1e} (allowed: {within:.0e})"


def lattice_sums(device: str) -> dict[str, str]:
    """Compare the lattice sums of both devices, relative to the largest of a crystal and term."""
    from polyfacet.facets.graph.lattice_sums import lattice_sums_of

    crystals = list(graph_inputs(N_CRYSTALS).values())
    lattice_sums_of(crystals[:2], "paper", device=device)
    on_cpu_s, on_cpu = seconds(lambda: lattice_sums_of(crystals, "paper"), "cpu")
    there_s, there = seconds(lambda: lattice_sums_of(crystals, "paper", device=device), device)
    difference = max(
        float(((a - b.cpu()).abs().amax(dim=(0, 1)) / a.abs().amax(dim=(0, 1))).max())
        for a, b in zip(on_cpu, there, strict=True)
    )
    return {
        "largest relative difference": agreeing("lattice sums", difference, SUMS_WITHIN),
        "crystals per second": rates(len(crystals), there_s, on_cpu_s),
        "memory": memory(device),
    }


def embeddings(device: str) -> dict[str, str]:
    """Compare the embeddings of a calibrated network on both devices."""
    import numpy as np
    import torch

    from polyfacet.facets.graph.embedding import embed, make_network

    built = graphs(N_CRYSTALS)
    found, spent = {}, {}
    for where in ("cpu", device):
        network = make_network("calibrated", SEED, built, torch.device(where))
        spent[where], found[where] = seconds(lambda network=network: dict(embed(network, built)), where)
    difference = max(float(np.abs(found["cpu"][name] - found[device][name]).max()) for name in found["cpu"])
    return {
        "largest difference": agreeing("embeddings", difference, EMBEDDINGS_WITHIN),
        "crystals per second": rates(len(built), spent[device], spent["cpu"]),
        "memory": memory(device),
    }


def training_step(device: str) -> dict[str, str]:
    """Compare the gradient of one training step of the network on both devices."""
    import torch
    from torch_geometric.data import Batch

    from polyfacet.facets.graph.embedding import make_network
    from polyfacet.facets.graph.network import network_input

    inputs = [network_input(graph) for graph in graphs(64)]
    gradients, spent = {}, {}

    def step(network: torch.nn.Module, where: str) -> torch.Tensor:
        network.zero_grad()
        network(Batch.from_data_list(inputs).to(where)).square().mean().backward()
        return torch.cat([each.grad.flatten() for each in network.parameters() if each.grad is not None])

    for where in ("cpu", device):
        network = make_network("trained", SEED, [], torch.device(where)).train()
        state = {name: value.clone() for name, value in network.state_dict().items()}
        step(network, where)
        network.load_state_dict(state)
        spent[where], gradient = seconds(lambda network=network, where=where: step(network, where), where)
        gradients[where] = gradient.cpu()
    difference = float((gradients["cpu"] - gradients[device]).norm() / gradients["cpu"].norm())
    return {
        "relative difference of the gradients": agreeing("gradients", difference, STEP_WITHIN),
        "crystals per second": rates(len(inputs), spent[device], spent["cpu"]),
        "memory": memory(device),
    }


def browser(device: str) -> dict[str, str]:
    """Draw pictures with the browser's EGL back end, which uses the GPU's driver where there is one."""
    from polyfacet.facets.image.capture import SceneCamera
    from polyfacet.facets.image.scene import crystal_scene
    from polyfacet.facets.image.settings import RenderSettings

    settings = RenderSettings(webgl="egl" if device == "cuda" else "swiftshader")
    scenes = [crystal_scene(each, settings) for each in embedded_crystals(N_PICTURES).values()]
    views = [view for scene in scenes for view in scene.views.values()]
    with SceneCamera(settings) as camera:
        camera.take_picture(views[0])
        spent, _ = seconds(lambda: [camera.take_picture(view) for view in views], "cpu")
        renderer = camera.browser.webgl_renderer
    return {"renderer": renderer, "pictures per second": f"{len(views) / spent:.1f}"}


def automm_cell(device: str) -> dict[str, str]:
    """Train one AutoGluon cell on text and graph embedding, with a small local encoder."""
    import numpy as np
    import pandas as pd
    import torch

    from polyfacet.config.encoders import TextEncoderSettings
    from polyfacet.facets.graph.embedding import embed, make_network
    from polyfacet.facets.registry import TEXT, facets_of
    from polyfacet.facets.text.composition import composition_text
    from polyfacet.materials.objectives import Objective
    from polyfacet.training.encoders.local import save_text_encoder
    from polyfacet.training.engines.base import Resources
    from polyfacet.training.engines.creation import create

    crystals = embedded_crystals(N_CRYSTALS)
    built = graphs(N_CRYSTALS)
    embedded = dict(embed(make_network("calibrated", SEED, built, torch.device("cpu")), built))
    rows = pd.DataFrame(
        {
            "mat_id": list(embedded),
            "text": [composition_text(crystals[name].reduced_formula, "composition") for name in embedded],
            "graph": list(embedded.values()),
            "volume_per_atom": [crystals[name].volume / len(crystals[name]) for name in embedded],
        }
    ).sample(frac=1, random_state=SEED)
    n_train, n_valid = int(0.7 * len(rows)), int(0.15 * len(rows))
    train, valid, test = rows[:n_train], rows[n_train : n_train + n_valid], rows[n_train + n_valid :]
    with tempfile.TemporaryDirectory() as folder:
        save_text_encoder(Path(folder, TEXT.name), TextEncoderSettings(), SEED)
        engine = create("automm", {"max_epochs": 10}, Resources(seed=SEED, encoders=Path(folder)))
        objective = Objective("volume_per_atom")
        spent, _ = seconds(lambda: engine.fit(train, valid, facets_of("text+graph"), objective), device)
        error = float(np.abs(engine.predict(test) - test["volume_per_atom"]).mean())
    truth = test["volume_per_atom"]
    if device == "cuda" and not torch.cuda.max_memory_allocated():
        raise DisagreementError("AutoGluon did not use the GPU")
    return {
        "training": f"{spent:.0f} s, {len(train)} crystals, at most 10 epochs",
        "mean absolute error": f"{error:.2f} A^3/atom (of the median: "
        f"{float((truth - train['volume_per_atom'].median()).abs().mean()):.2f})",
        "memory": memory(device),
    }


GRAPH_PACKAGES = ("torch", "torch_geometric", "pymatgen", "orjson", "pyarrow", "pydantic", "jarvis", "spglib")
PARTS = {
    "lattice_sums": Part("Lattice sums", GRAPH_PACKAGES, 80, lattice_sums),
    "embeddings": Part("Graph embeddings", GRAPH_PACKAGES, 80, embeddings),
    "training_step": Part("Training step of the graph network", GRAPH_PACKAGES, 50, training_step),
    "browser": Part("Structure pictures", ("playwright", "dash", "crystal_toolkit", "torch"), 80, browser),
    "automm_cell": Part("AutoGluon cell", ("autogluon", *GRAPH_PACKAGES), 130, automm_cell),
}

HEADER = """# On a GPU

What needs a GPU cannot be tested everywhere. One command runs it where there is one, in less than eight
minutes, and writes this page:

```bash
python benchmarks/on_gpu.py
```

GPU and processor must agree within rounding; a part that does not agree, or fails, says so here. The tests
that need a GPU skip themselves without one (`make test`). [Install and run](running.md#on-a-gpu) says how
jobs share a GPU.
"""

if __name__ == "__main__":
    sys.exit(main())
