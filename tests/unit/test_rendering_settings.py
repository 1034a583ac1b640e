"""Settings of pictures are validated and determine what the viewer shows."""

import pytest
from pydantic import ValidationError

from polyfacet.config.images import Drawing
from polyfacet.facets.image.settings import RenderSettings


def test_viewer_shows_no_controls():
    properties = RenderSettings(size=300).component_properties()
    assert properties["sceneSize"] == 300
    assert properties["axisView"] == "HIDDEN"
    assert properties["settings"]["zoomToFit2D"] is True
    assert properties["settings"]["transparentBackground"] is False
    assert not any(value for name, value in properties.items() if name.startswith("show"))


def test_the_defaults_are_those_of_the_configuration():
    defaults = Drawing().model_dump()
    assert RenderSettings().model_dump() | defaults == RenderSettings().model_dump()


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"size": 100_000}, {"sphere_segments": 2}, {"colors": "vesta"}, {"webgl": "cuda"}],
)
def test_invalid_setting_is_named(wrong):
    (name,) = wrong
    with pytest.raises(ValidationError, match=name):
        RenderSettings(**wrong)
