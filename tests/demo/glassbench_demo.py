"""Demo stages on which the engine is tested: quick, and able to fail in every way on demand.

What a stage does beyond its numbers is asked for by files in the folder that its parameter
`mischief` names, so that a run and the run that repairs it have the same keys.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.stage import Blocks, InputFile, Quantity, Split, Task, VariableOf, stage
from glassbench.variables import make_dataset

TOO_LONG_S = 600
BLOCK_SIZE = int(os.environ.get("DEMO_BLOCK_SIZE", "2"))


@stage(
    "demo.atoms",
    version=1,
    split=Split.SAMPLE,
    makes=("atomic_volume", "coordination"),
    cost=Cost(atoms=lambda params: int(params["n_atoms"])),
)
def atoms(
    *,
    n_atoms: Annotated[int, Quantity("1", gt=0)] = 4,
    seed: Annotated[int, Quantity("1", ge=0)],
    mischief: str = "",
    task: Task,
) -> xr.Dataset:
    """Make random atoms.

    Parameters
    ----------
    n_atoms
        Number of atoms.
    seed
        Of the random numbers.
    mischief
        Folder of files that ask for a failure.
    """
    _misbehave(mischief, f"atoms-{task.sample}", task)
    volume = task.rng(seed).uniform(1, 2, n_atoms)
    counts = np.arange(n_atoms, dtype=np.int64)
    return make_dataset({"atomic_volume": volume, "coordination": counts})


@stage(
    "demo.energy",
    version=2,
    split=Split.SAMPLE,
    needs={"atoms": ("atomic_volume",), "table": ("mass",)},
    makes=("potential_energy",),
)
def energy(
    atoms: xr.Dataset,
    table: xr.Dataset | None = None,
    *,
    power: Annotated[float, Quantity("1", gt=0)] = 2.0,
    norm: Literal["sum", "mean"] = "sum",
    mischief: str = "",
    task: Task,
) -> xr.Dataset:
    """Reduce the atoms to one number."""
    _misbehave(mischief, f"energy-{task.sample}", task)
    values = atoms["atomic_volume"].to_numpy() ** power
    heavy = 1.0 if table is None else float(table["mass"].sum())
    return make_dataset({"potential_energy": heavy * getattr(values, norm)()})


@stage("demo.table", version=1, split=Split.PROTOCOL, makes=("mass",))
def table(*, file: Annotated[Path, InputFile("demo")]) -> xr.Dataset:
    """Read the masses of two species from a file."""
    return make_dataset({"mass": np.loadtxt(file)}, {"species": ["Cu", "Zr"]})


@stage(
    "demo.total",
    version=1,
    split=Split.PROTOCOL,
    needs={"energy": ("potential_energy",)},
    makes=("pressure", "residual_force"),
)
def total(energy: xr.Dataset, *, mischief: str = "", task: Task) -> xr.Dataset:
    """Add up the samples, and count them."""
    _misbehave(mischief, "total", task)
    values = energy["potential_energy"]
    assert values.dims == ("sample",)
    return make_dataset({"pressure": values.sum().item(), "residual_force": float(values.size)})


@stage("demo.steps", version=1, split=Split.PROTOCOL, makes=("pressure",))
def steps(
    *, n_steps: Annotated[int, Quantity("1", gt=0)], mischief: str = "", task: Task
) -> xr.Dataset:
    """Add up the numbers of steps, with a checkpoint after each."""
    kept = task.load_checkpoint() or {"total": np.zeros(1), "step": np.zeros(1, dtype=np.int64)}
    total = kept["total"][0]
    for step in range(kept["step"][0], n_steps):
        _misbehave(mischief, f"step-{step}", task)
        total += step
        task.save_checkpoint({"total": np.array([total]), "step": np.array([step + 1])})
    return make_dataset({"pressure": total})


@stage(
    "demo.parts",
    version=1,
    split=Split.BLOCK,
    blocks=Blocks("atoms", "atom", BLOCK_SIZE),
    needs={"atoms": ("coordination",)},
    makes=("atomic_volume", "pressure"),
)
def parts(
    atoms: xr.Dataset,
    *,
    seed: Annotated[int, Quantity("1", ge=0)],
    mischief: str = "",
    task: Task,
) -> xr.Dataset:
    """Draw a number for each atom."""
    units = task.units(atoms.sizes["atom"])
    volumes = []
    for unit in units:
        _misbehave(mischief, f"unit-{task.sample}-{unit}", task)
        volumes.append(np.random.default_rng([seed, task.sample, unit]).uniform())
    is_odd = bool(mischief) and (Path(mischief) / "odd").exists()
    return make_dataset({"atomic_volume": volumes, "pressure": float(units[0]) if is_odd else 1.0})


@stage(
    "demo.ratio",
    version=1,
    split=Split.PROTOCOL,
    needs={"energy": ("potential_energy",)},
    makes=("pressure",),
)
def ratio(
    energy: xr.Dataset, *, variables: Annotated[dict[str, str], VariableOf()], **others: xr.Dataset
) -> xr.Dataset:
    """Divide the mean of each other input by the mean energy, and add up."""
    # Nothing else was read.
    assert {name: list(data) for name, data in others.items()} == {
        name: [variable] for name, variable in variables.items()
    }
    means = [others[name][variable].mean() for name, variable in variables.items()]
    return make_dataset({"pressure": float(sum(means) / energy["potential_energy"].mean())})


def _misbehave(folder: str, name: str, task: Task) -> None:
    """Note the call, and do what a file of that name asks for."""
    if not folder:
        return
    (Path(folder) / f"called-{name}-{os.getpid()}").touch()
    wish = Path(folder) / name
    asked = wish.read_text() if wish.is_file() else ""
    if asked == "raise":
        raise ValueError("nothing good can come of this sample")
    if asked == "refuse":
        raise StageError("this sample is beyond the stage")
    if asked == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if asked == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if asked == "exit":
        os._exit(7)
    if asked == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    while asked == "pause" and wish.exists():
        time.sleep(0.01)
    if asked == "wait":
        task.progress(0.5, "waiting")
        time.sleep(TOO_LONG_S)
