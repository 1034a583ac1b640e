"""Augmented views of materials, which keep what its objectives depend on."""

import torch

from polyfacet.facets.registry import COMPIMAGE, facet_named
from polyfacet.training.engines.joint.examples import Content, Shown

# Share of the numbers that a view does not show.
HIDDEN = 0.1
# Largest relative change of the brightness of a picture.
BRIGHTNESS = 0.1


def augmented(shown: Shown, noise: float) -> Shown:
    """Return rows seen anew: with noise, a tenth of the numbers at their mean, in another light.

    No element is left out, no colour changed, and nothing moved: a colour is an element, and a place in a
    composition image is a property.

    Parameters
    ----------
    shown
        Rows.
    noise
        Noise on numbers, in standard deviations of each.
    """
    noisy = shown.in_training(noise)
    return Shown({name: _seen(name, content) for name, content in noisy.contents.items()}, noisy.present)


def shuffled_partners(shown: Shown) -> Shown:
    """Return rows whose facets come from different materials; rows keep which facets they have.

    Parameters
    ----------
    shown
        Rows with the contents of all facets.
    """
    contents: dict[str, Content] = {}
    for number, (name, content) in enumerate(shown.contents.items()):
        has = shown.present[:, number].nonzero()[:, 0]
        order = torch.arange(len(shown))
        if number:
            order[has] = has[torch.randperm(len(has))]
        contents[name] = content[order]
    return Shown(contents, shown.present)


def _seen(name: str, content: Content) -> Content:
    if not isinstance(content, torch.Tensor):
        return content
    if content.is_floating_point():
        return content * (torch.rand_like(content) >= HIDDEN)
    if facet_named(name) == COMPIMAGE:
        return content  # its brightness tells properties
    brightness = 1 + BRIGHTNESS * (2 * torch.rand(len(content), 1, 1, 1, 1) - 1)
    return (content.float() * brightness).round().clamp(0, 255).to(content.dtype)
