"""What explains the joint network, on networks whose explanation is known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import SMALL
from PIL import Image
from rock_salts import rock_salt_graphs
from torch import nn

pytest.importorskip("captum")

from polyfacet.encodings.pixels import SIZE
from polyfacet.evaluation.explanation.deletion import falls_of
from polyfacet.facets.compimage.image import HEIGHT, WIDTH, arrange, magnify
from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import STATISTICS
from polyfacet.facets.graph.example_table import input_row
from polyfacet.facets.registry import COMPIMAGE
from polyfacet.training.engines.joint.crystals import Crystals
from polyfacet.training.engines.joint.explanation.atoms import AtomExplainer
from polyfacet.training.engines.joint.explanation.properties import PropertyExplainer, ResizedPictures
from polyfacet.training.engines.joint.explanation.regions import N_ALONG, RegionExplainer
from polyfacet.training.engines.joint.graph_tower import GraphTower
from polyfacet.training.engines.joint.inputs import FacetReader
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.towers import PictureTower

N = 6


@dataclass
class Function:
    """Stands for a network: outputs as a function of the content of the facet."""

    of: Callable[[object], torch.Tensor]
    n_outputs: int = 1
    tower: nn.Module | None = None

    def __call__(self, content, rows):
        return self.of(content)

    def pieces(self):
        yield from torch.arange(N).split(4)

    def said(self, content_of):
        with torch.no_grad():
            return torch.cat([self.of(content_of(rows)) for rows in self.pieces()]).double().numpy()


def images(seed: int = 0) -> torch.Tensor:
    """Return grey values, 0 where nothing is drawn."""
    values = np.random.default_rng(seed).random((N, len(STATISTICS), len(NAMES)))
    return torch.tensor(arrange(values, "fixed").reshape(N, -1), dtype=torch.float32)


def pixels_of(name: str, layout="fixed") -> np.ndarray:
    """Return which pixels show a property, shape ``(504,)``."""
    drawn = np.zeros((1, len(STATISTICS), len(NAMES)))
    drawn[:, :, NAMES.index(name)] = 1
    return arrange(drawn, layout).reshape(-1) > 0


def explainer(of, layout="fixed", pixels=None, n_outputs=1, content_of=lambda pixels: pixels):
    pixels = images() if pixels is None else pixels
    return PropertyExplainer(Function(of, n_outputs), pixels, images(1).mean(dim=0), content_of, layout)


@pytest.mark.parametrize("layout", ["fixed", "mcvn2022"])
def test_a_linear_network_is_divided_exactly(layout):
    weights = torch.tensor(np.random.default_rng(2).normal(size=(HEIGHT * WIDTH, 2)), dtype=torch.float32)
    own = explainer(lambda pixels: pixels @ weights + 3, layout, n_outputs=2)
    found = own.attributions()
    exact = ((own.pixels - own.baseline)[..., None] * weights).double().numpy()
    for number in (0, 20, 55):
        expected = exact[:, pixels_of(NAMES[number], layout)].sum(axis=1)
        got = np.stack(found.units)[:, number]
        np.testing.assert_allclose(got, expected, atol=1e-4)
    names, by_statistic = found.beside["statistic"]
    assert names == STATISTICS
    np.testing.assert_allclose(by_statistic.sum(axis=1), np.stack(found.units).sum(axis=1), atol=1e-4)


def test_contributions_of_a_curved_network_add_up_to_the_difference_from_the_baseline():
    weights = torch.tensor(np.random.default_rng(2).normal(size=HEIGHT * WIDTH), dtype=torch.float32)
    own = explainer(lambda pixels: torch.tanh(pixels @ weights / 5)[:, None])
    units = own.attributions().units
    shown, hidden = (own.outputs([np.full(len(NAMES), hides)] * N) for hides in (False, True))
    np.testing.assert_allclose([each.sum() for each in units], (shown - hidden)[:, 0], atol=1e-3)


def test_all_importance_is_that_of_the_one_property_that_is_read():
    read = torch.tensor(pixels_of("density"))
    own = explainer(lambda pixels: pixels[:, read].sum(dim=1, keepdim=True))
    units = np.stack(own.attributions().units)[..., 0]
    others = np.arange(len(NAMES)) != NAMES.index("density")
    assert np.abs(units[:, others]).max() == 0
    assert np.abs(units[:, ~others]).min() > 0
    falls = falls_of(own, own.attributions().units, seed=0)
    # What is hidden first is what lowers the prediction: nothing can be faster.
    raises = units[:, ~others][:, 0] > 0
    assert (falls.areas[raises, 0] >= 0).all()
    first = falls.explained[0, raises, 0]
    np.testing.assert_allclose(first, units[raises][:, ~others][:, 0], rtol=1e-4)
    assert (falls.areas[~raises, 0] >= 0).all()


@pytest.mark.parametrize("scale", [1, 5, 10])
def test_images_are_resized_as_when_they_are_read(scale):
    grey = np.random.default_rng(0).integers(256, size=(HEIGHT, WIDTH), dtype=np.uint8)
    drawn = Image.fromarray(magnify(grey, scale)).convert("RGB")
    expected = np.asarray(drawn.resize((SIZE, SIZE), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    pixels = torch.tensor(grey.reshape(1, -1) / 255, dtype=torch.float32)
    found = ResizedPictures.of_scale(scale)(pixels)
    assert found.shape == (1, 1, 3, SIZE, SIZE)
    # Pillow rounds after each direction.
    assert np.abs(found[0, 0].numpy() - expected).max() <= 1.01


def test_pictures_of_compositions_are_read_as_the_network_reads_them(tmp_path):
    from polyfacet.training.engines.joint.explanation import explained as module

    grey = np.random.default_rng(0).integers(256, size=(HEIGHT, WIDTH), dtype=np.uint8)
    Image.fromarray(magnify(grey, 4)).save(tmp_path / "m.png")
    rows = pd.DataFrame({"mat_id": ["m"], "compimage": [str(tmp_path / "m.png")]})
    reader = FacetReader("compimage", "picture", n_views=1)
    content_of = module._content_of(reader, rows, COMPIMAGE)
    found = content_of(module._grey(rows, COMPIMAGE))
    assert (found - reader.read(rows).float()).abs().max() <= 1.01


def test_numbers_of_compositions_are_read_as_the_network_reads_them(tmp_path):
    from polyfacet.training.engines.joint.explanation import explained as module

    paths = []
    for number in range(4):
        grey = np.random.default_rng(number).integers(256, size=(HEIGHT, WIDTH), dtype=np.uint8)
        grey[0] = 7
        paths.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(grey).save(paths[-1])
    rows = pd.DataFrame({"mat_id": list("abcd"), "compimage": paths})
    reader = FacetReader.fit(COMPIMAGE, rows[:3], JointSettings(), is_formula=False)
    assert len(reader.kept) < HEIGHT * WIDTH
    found = module._content_of(reader, rows, COMPIMAGE)(module._grey(rows, COMPIMAGE))
    np.testing.assert_allclose(found.numpy(), reader.read(rows).numpy(), atol=1e-5)


def test_regions_are_weighed_by_the_mean_gradients_of_their_channels():
    torch.manual_seed(0)
    tower = PictureTower(16).eval()
    weights = torch.randn(16)

    def said(pictures):
        tokens, _ = tower(pictures)
        return (tokens.tanh() @ weights).mean(dim=1, keepdim=True)

    pictures = torch.randint(256, (N, 2, 3, SIZE, SIZE)).float()
    own = RegionExplainer(Function(said, tower=tower), pictures, pictures.mean(dim=0))
    maps = np.stack(own.attributions().units)
    assert maps.shape == (N, 2 * N_ALONG**2, 1)
    assert len(own.names[0]) == 2 * N_ALONG**2

    activations = tower.layers(pictures.flatten(0, 1) / 127.5 - 1).detach().requires_grad_()
    regions = activations.unflatten(0, (N, 2)).mean(dim=1).flatten(2).transpose(1, 2)
    output = ((tower.token(regions) + tower.place).tanh() @ weights).mean(dim=1).sum()
    (gradients,) = torch.autograd.grad(output, activations)
    expected = (gradients.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1).detach()
    np.testing.assert_allclose(maps[..., 0], expected.reshape(N, -1).numpy(), atol=1e-6)


def test_hidden_regions_show_the_mean_picture():
    seen = []
    pictures = torch.arange(N).float()[:, None, None, None, None].expand(N, 1, 3, SIZE, SIZE)
    own = RegionExplainer(
        Function(lambda each: seen.append(each) or each.mean(dim=(1, 2, 3, 4))[:, None]),
        pictures,
        torch.full((1, 3, SIZE, SIZE), 100.0),
    )
    hidden = np.zeros(N_ALONG**2, dtype=bool)
    hidden[1] = True  # first row, second column
    own.outputs([hidden] * N)
    edge = SIZE // N_ALONG
    changed = seen[0][0, 0, 0] == 100
    assert changed[:edge, edge : 2 * edge].all()
    assert changed.sum() == edge**2


@pytest.fixture(scope="module")
def atoms() -> AtomExplainer:
    """Return an untrained graph network of rock salts."""
    torch.manual_seed(0)
    tower = GraphTower((16, 2), SMALL["width"], 1, 0.0).eval()
    crystals = Crystals([input_row(graph) for graph in rock_salt_graphs()[:N]])
    weights = torch.randn(SMALL["width"], 2)
    return AtomExplainer(Function(lambda rows: tower(rows)[0][:, 0] @ weights, 2, tower), crystals)


def test_atoms_have_names_and_contributions(atoms):
    assert atoms.names[0] == ["Li", "F"]
    units = atoms.attributions().units
    assert [each.shape for each in units] == [(2, 2)] * N
    assert all(np.abs(each).min() > 0 for each in units)


def test_contributions_of_atoms_are_what_slightly_smaller_vectors_change(atoms):
    """Gradient times input is the derivative by a factor of the vector."""
    from polyfacet.training.engines.joint.explanation import atoms as module

    units = atoms.attributions().units
    rows = torch.arange(4)
    crystals = atoms.crystals[rows]
    step = 1e-2
    for atom in (0, 1):
        factors = torch.ones(8)
        said = []
        for factor in (1 - step, 1 + step):
            factors[atom::2] = factor
            with torch.no_grad(), module._changed_atoms(atoms.readout.tower, module._times(factors)):
                said.append(atoms.readout(crystals, rows).double().numpy())
        slope = (said[1] - said[0]) / (2 * step)
        np.testing.assert_allclose(slope, [each[atom] for each in units[:4]], rtol=0.05, atol=1e-3)


def test_hidden_atoms_are_no_longer_told_apart(atoms):
    none = [np.zeros(2, dtype=bool)] * N
    np.testing.assert_allclose(
        atoms.outputs(none), atoms.readout.said(lambda rows: atoms.crystals[rows]), atol=1e-5
    )
    all_hidden = atoms.outputs([np.ones(2, dtype=bool)] * N)
    # The first four differ in length, which edges still tell; the others in the element, which is hidden.
    np.testing.assert_allclose(all_hidden[0], all_hidden[4], atol=1e-5)
    assert np.abs(atoms.outputs(none)[0] - atoms.outputs(none)[4]).max() > 1e-3
