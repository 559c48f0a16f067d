"""Arrays on disk from which an unfinished task goes on: whole, or taken as not there."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

CHECKPOINT = "checkpoint.npz"  # with a checksum behind it, which numpy does not mind


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write arrays so that the file holds them all, or what it held before."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy has a keyword that is no array
    content = buffer.getvalue()
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content + _digest(content))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]] | None:
    """Read arrays, or return ``None`` where there are none or they are damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    size = len(data) - len(_digest(b""))
    content, digest = data[: max(size, 0)], data[max(size, 0) :]
    if digest != _digest(content):
        return None
    with np.load(io.BytesIO(content)) as found:
        return dict(found)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
