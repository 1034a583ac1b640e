"""Settings of the pictures are checked where they are made."""

import pytest

from polyfacet.facets.image.settings import RenderSettings
from polyfacet.runtime.errors import UserError


def test_the_defaults_are_those_of_the_study():
    properties = RenderSettings().component_properties()
    assert properties["sceneSize"] == 300
    assert properties["axisView"] == "HIDDEN"
    assert properties["settings"]["zoomToFit2D"] is True
    assert properties["settings"]["transparentBackground"] is False
    assert not any(value for name, value in properties.items() if name.startswith("show"))


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"size": 100_000}, {"sphere_segments": 2}, {"colors": "vesta"}, {"webgl": "cuda"}],
)
def test_what_cannot_be_drawn_is_refused_by_name(wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=name):
        RenderSettings(**wrong)
