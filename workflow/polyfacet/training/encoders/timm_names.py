"""List the architectures of the installed timm without importing it (and torch), which takes seconds."""

import importlib.util
import re
from functools import cache
from pathlib import Path

_REGISTERED = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)


@cache
def architectures() -> frozenset[str]:
    """Read the names that timm's modules register; empty if timm is not installed."""
    package = importlib.util.find_spec("timm")
    if package is None or not package.submodule_search_locations:
        return frozenset()
    modules = Path(package.submodule_search_locations[0], "models").glob("*.py")
    return frozenset(
        name for module in modules for name in _REGISTERED.findall(module.read_text(encoding="utf-8"))
    )
