"""Cache of scenes: another picture of the same crystal need not find its bonds again."""

import fcntl
import gzip
import hashlib
import json
import logging
import secrets
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import IO

from polyfacet.facets.image.drawable import CrystalScene, SceneError
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.runtime.code_digest import code_digest
from polyfacet.runtime.files import PART
from polyfacet.runtime.packages import package_versions

logger = logging.getLogger(__name__)

# Settings that only the viewer or later steps use; all others determine the scene itself.
NOT_OF_THE_SCENE = ("size", "sphere_segments", "webgl", "arrangement")
# The code that makes the scenes.
CODE = Path(__file__).with_name("cif_scene.py")


class SceneMaker:
    """Makes scenes of CIF files, or reads them from a cache folder.

    Several processes may use the folder at the same time.  Partial files of killed processes are removed.

    Parameters
    ----------
    settings
        What the scenes show.
    folder
        Folder that keeps scenes; None to keep none.
    """

    def __init__(self, settings: RenderSettings, folder: Path | None = None) -> None:
        self._settings = settings
        self._folder = folder
        if folder is not None:
            remove_abandoned(folder)

    def scene(self, cif: Path) -> CrystalScene:
        """Return the scene of a CIF file (see ``cif_scene.scene_of_cif``).

        Raises
        ------
        SceneError
            If the file is missing, contains no structure, or no scene can be made of it.
        """
        # Importing it takes seconds, which processes that leave scenes to workers avoid.
        from polyfacet.facets.image.cif_scene import scene_of_cif  # noqa: PLC0415

        if self._folder is None:
            return scene_of_cif(cif, self._settings)
        try:
            kept = self._folder / f"{self._key(cif.read_bytes())}.json.gz"
        except FileNotFoundError as error:
            raise SceneError(f"the structure file {cif.name} is missing") from error
        scene = _read(kept)
        if scene is None:
            scene = scene_of_cif(cif, self._settings)
            _write(kept, scene)
        return scene

    def _key(self, cif: bytes) -> str:
        """Return a digest of everything that determines a scene."""
        return hashlib.sha256(self._common_key + cif).hexdigest()

    @cached_property
    def _common_key(self) -> bytes:
        settings = self._settings.model_dump()
        parts = {
            "settings": {name: settings[name] for name in settings if name not in NOT_OF_THE_SCENE},
            "code": code_digest(CODE),
            "packages": package_versions(CODE),
        }
        return json.dumps(parts, sort_keys=True).encode() + b"\n"


def _read(path: Path) -> CrystalScene | None:
    """Read a scene from the cache; None if it is missing or damaged."""
    try:
        return CrystalScene(**json.loads(gzip.decompress(path.read_bytes())))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, TypeError) as error:
        logger.warning("the cached scene %s cannot be used and is made again: %s", path, error)
        return None


def _write(path: Path, scene: CrystalScene) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes, perhaps on two machines, may write the same scene at the same time.
    part = path.with_suffix(f".{secrets.token_hex(8)}{PART}")
    try:
        with part.open("xb") as stream:
            _lock(stream)
            stream.write(gzip.compress(json.dumps(asdict(scene)).encode(), mtime=0))
        # Before the lock was acquired, another process may have removed the file as abandoned.
        with suppress(FileNotFoundError):
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Remove partial files of killed processes.

    A process that writes a scene holds a lock on its file, which is released when the process ends.
    """
    for part in folder.glob(f"*{PART}"):
        with suppress(FileNotFoundError), part.open("rb") as stream:
            if _lock(stream):
                part.unlink()


def _lock(stream: IO[bytes]) -> bool:
    """Lock a file for as long as it is open; return False if it is already locked or cannot be locked."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
