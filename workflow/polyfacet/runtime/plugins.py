"""Registries of what Polyfacet can be extended with, and the plug-ins that extend it.

There is one registry per kind: facets, engines, objectives, split methods.  Plug-ins are the files that a run
names (``plugins``), and the modules that installed packages name as entry points in the group
``polyfacet.plugins``.  A declaration is an object of the right type at the top level of such a module.  Other
files that the module reads are listed in its ``ASSETS``.
"""

import hashlib
import importlib.metadata
import importlib.util
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, Generic, TypeVar

from polyfacet.runtime.code_digest import files_of_package
from polyfacet.runtime.errors import UserError

ENTRY_POINTS = "polyfacet.plugins"


class Declaration:
    """An item of a registry: a configuration refers to it by its name.

    Attributes
    ----------
    name
        Name in configurations, columns and paths.
    """

    name: str


Declared = TypeVar("Declared", bound=Declaration)


@dataclass(frozen=True)
class Origin:
    """Origin of a declaration in a plug-in.

    Attributes
    ----------
    kind, name
        Kind and name of the declaration: ``engine``, ``closest``.
    plugin
        The file, as the run names it, or the entry point of an installed package.
    package
        Name and version of the package; None for a file.
    """

    kind: str
    name: str
    plugin: str
    package: str | None = None

    def __str__(self) -> str:
        place = f"entry point {self.plugin} of the package {self.package}" if self.package else self.plugin
        return f"the {self.kind} {self.name!r} of the plug-in {place}"


@dataclass(frozen=True)
class _Plugin:
    module: ModuleType
    name: str
    package: str | None = None


_of_run: dict[Path, _Plugin] = {}


class Registry(Generic[Declared]):
    """The declarations of one kind, by name.

    Parameters
    ----------
    kind
        Kind of the declarations, for messages.
    declares
        Type of the declarations.
    built_in
        Declarations of Polyfacet itself, in their order.
    """

    # Polyfacet's own declarations of all kinds: a plug-in can only have imported these.
    of_polyfacet: ClassVar[list[Declaration]] = []

    def __init__(self, kind: str, declares: type[Declared], built_in: Iterable[Declared]) -> None:
        self.kind = kind
        self._declares = declares
        self._built_in = {each.name: each for each in built_in}
        self.of_polyfacet.extend(self._built_in.values())

    @property
    def built_in(self) -> Mapping[str, Declared]:
        """Polyfacet's own declarations by name, independent of plug-ins."""
        return MappingProxyType(self._built_in)

    def all(self) -> Mapping[str, Declared]:
        """Return all declarations by name: built-in ones, then those of plug-ins, sorted by name.

        Raises
        ------
        UserError
            If a plug-in uses the name of another declaration.
        """
        found = dict(self._built_in)
        for plugin in _plugins():
            for each in self._of(plugin.module):
                if found.setdefault(each.name, each) is not each:
                    raise UserError(
                        f"the plug-in {plugin.module.__file__} declares the {self.kind} {each.name!r}, but "
                        "that name is already in use. Choose another name."
                    )
        added = sorted(found.keys() - self._built_in.keys())
        return {name: found[name] for name in (*self._built_in, *added)}

    def get(self, name: str) -> Declared:
        """Return a declaration by name.

        Raises
        ------
        UserError
            If there is none; the message lists the existing names.
        """
        found = self.all()
        if name not in found:
            raise UserError(f"there is no {self.kind} {name!r}; there are: {', '.join(found)}")
        return found[name]

    def files_of(self, names: Iterable[str]) -> tuple[Path, ...]:
        """Return the files of plug-ins that declare any of the names, and their assets, for digests."""
        wanted = set(names)
        return tuple(
            file
            for plugin in _plugins()
            if any(each.name in wanted for each in self._of(plugin.module))
            for file in _files(plugin.module)
        )

    def origins_of(self, names: Iterable[str]) -> tuple[Origin, ...]:
        """Return the origins of those names that plug-ins declare."""
        wanted = set(names)
        return tuple(
            Origin(self.kind, each.name, plugin.name, plugin.package)
            for plugin in _plugins()
            for each in self._of(plugin.module)
            if each.name in wanted
        )

    def _of(self, module: ModuleType) -> Iterator[Declared]:
        """Yield the declarations of a module, without imported built-in ones."""
        built_in = {id(each) for each in self._built_in.values()}
        seen: set[int] = set()
        for value in vars(module).values():
            if isinstance(value, self._declares) and id(value) not in built_in | seen:
                seen.add(id(value))
                yield value


def use_plugins(files: Sequence[str] | str) -> None:
    """Load the plug-ins of a run, so that the registries know what they declare.

    Parameters
    ----------
    files
        Their paths, relative to the folder of the run.

    Raises
    ------
    UserError
        If a file is missing, cannot be imported (the message has the line) or declares nothing, or if an
        asset is missing.
    """
    for name in [files] if isinstance(files, str) else files:
        path = Path(name).resolve()
        if path not in _of_run:
            module = _load(path, name)
            _check_declares(module, f"the plug-in {name}")
            _assets(module)
            _of_run[path] = _Plugin(module, name)


def files_of_run() -> tuple[Path, ...]:
    """Return the paths of the plug-ins that the run has loaded."""
    return tuple(_of_run)


def _plugins() -> list[_Plugin]:
    return [*_installed(), *_of_run.values()]


@cache
def _installed() -> tuple[_Plugin, ...]:
    """Import the plug-ins of installed packages."""
    plugins = []
    for point in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda each: each.name):
        try:
            module = importlib.import_module(point.module)
            _check_declares(module, f"its module {point.module}")
        except Exception as error:
            raise UserError(
                f"the plug-in {point.name} of an installed package cannot be used "
                f"({type(error).__name__}: {error}). Repair or uninstall the package."
            ) from error
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.module
        plugins.append(_Plugin(module, point.name, package))
    return tuple(plugins)


def _files(module: ModuleType) -> list[Path]:
    """Return the file of a plug-in, or all files of its installed package, and its assets."""
    file = Path(str(module.__file__))
    package = None if _is_of_run(module) else sys.modules[module.__name__.split(".")[0]]
    folders = getattr(package, "__path__", ())
    whole = sorted(path for folder in folders for path in files_of_package(Path(folder)))
    return list(dict.fromkeys([*(whole or [file]), *_assets(module)]))


def _is_of_run(module: ModuleType) -> bool:
    return any(plugin.module is module for plugin in _of_run.values())


def _assets(module: ModuleType) -> list[Path]:
    """Return the assets of a plug-in, after checking that they exist."""
    named, whose = getattr(module, "ASSETS", ()), f"ASSETS of the plug-in {module.__file__}"
    if not isinstance(named, list | tuple) or not all(isinstance(name, str) for name in named):
        raise UserError(f"{whose} is {named!r}, not a list of paths relative to the folder of the plug-in.")
    folder = Path(str(module.__file__)).parent
    for name in named:
        if not (folder / name).is_file():
            raise UserError(f"{whose} names {name!r}, but there is no such file ({folder / name}).")
    return [folder / name for name in named]


def _load(path: Path, name: str) -> ModuleType:
    if path.suffix != ".py" or not path.is_file():
        raise UserError(f"`plugins` names {name!r}, but there is no such Python file ({path}).")
    # The name depends on the full path: two plug-ins may have the same file name.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"polyfacet_plugin_{path.stem}_{digest}", path)
    if spec is None or spec.loader is None:
        raise UserError(f"the plug-in {name} is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        line = _line_of(error, path)
        raise UserError(
            f"the plug-in {name} cannot be imported ({line}{type(error).__name__}: {error})."
        ) from error
    return module


def _check_declares(module: ModuleType, who: str) -> None:
    """Reject a plug-in without declarations, or with declarations that would not be found."""
    known = {id(each) for each in Registry.of_polyfacet}
    top_level = {id(value) for value in vars(module).values() if isinstance(value, Declaration)}
    for name, value in vars(module).items():
        for each in _contained(value):
            if isinstance(each, Declaration) and id(each) not in known | top_level:
                raise UserError(
                    f"{who} declares {each.name!r} inside {name}, where it is not found. Assign it to a name "
                    f"of its own at the top level of the file:\n"
                    f"      {each.name.upper()} = {type(each).__name__}({each.name!r}, ...)"
                )
    if not top_level - known:
        raise UserError(
            f"{who} declares nothing. Assign each declaration (Facet, EngineDeclaration, CrystalObjective or "
            "SplitMethod) to a name of its own at the top level of the file, for example\n"
            '      DENSITY = Facet("density", "density", "vector", needs="structure", make=density)\n'
            "    docs/extending.md shows all of them."
        )


def _contained(value: object) -> Collection[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple | set | frozenset) else ()


def _line_of(error: BaseException, path: Path) -> str:
    """Return the last line of the file that led to an error, for the message."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}, "
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f"line {lines[-1]}, " if lines else ""
