"""Where the specs and the published numbers lie: in a checkout, or inside an installed wheel."""

from __future__ import annotations

import difflib
from pathlib import Path

from glassbench.errors import SpecError

_PACKAGE = Path(__file__).resolve().parent


def specs_folder() -> Path:
    """Return the folder of the specs that come with glassbench."""
    return _shipped("specs")


def reference_folder() -> Path:
    """Return the folder of published numbers, potentials and seed results."""
    return _shipped("reference_data")


def spec_keys() -> list[str]:
    """List the keys of all specs in the current folder's ``specs`` and in the package."""
    return sorted({path.stem for folder in _spec_folders() for path in folder.glob("*.yml")})


def find_spec(name_or_path: str) -> Path:
    """Find a spec by its key or by the path of its file.

    Parameters
    ----------
    name_or_path
        A key such as ``sf-2020``, searched in ``specs`` of the current folder and then among
        the specs that come with glassbench; or a path, told by its ``.yml`` or its slash.

    Raises
    ------
    SpecError
        If there is no such file or no spec of that key.
    """
    if name_or_path.endswith((".yml", ".yaml")) or "/" in name_or_path:
        return _existing(Path(name_or_path))
    for folder in _spec_folders():
        path = folder / f"{name_or_path}.yml"
        if path.is_file():
            return path
    keys = spec_keys()
    close = difflib.get_close_matches(name_or_path, keys, n=1)
    raise SpecError(
        f"there is no spec called {name_or_path!r}",
        expected=", ".join(keys) or "no specs were found at all",
        remedy=f"did you mean {close[0]!r}?" if close else "give a key, or the path of a .yml file",
    )


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    raise SpecError(
        "there is no such spec file",
        where=str(path),
        expected=f"the path of a file, or one of {', '.join(spec_keys())}",
    )


def _spec_folders() -> list[Path]:
    return [Path("specs"), specs_folder()]


def _shipped(name: str) -> Path:
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name
