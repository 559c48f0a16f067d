"""Machine-learned temperatures of the atoms of one run from one start time."""

from __future__ import annotations

from typing import Annotated

import xarray as xr

from glassbench.per_atom import read_along, take_labels
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

LEARNED = "machine_learned_temperature"


@stage(
    "learn.atom_temperature",
    version=1,
    split=Split.PROTOCOL,
    needs={"learned": (LEARNED,)},
    makes=("atom_learned_temperature",),
)
def atom_temperature(
    learned: xr.Dataset,
    *,
    temperature_K: Annotated[float, Quantity("K", gt=0)],
    start_ps: Annotated[float, Quantity("ps", ge=0)],
) -> xr.Dataset:
    """Pick T_ML of one temperature and start time, one number per atom (tml-2022, Figs. 6 and 7).

    Parameters
    ----------
    learned
        Holds machine_learned_temperature (sample, atom, temperature, start).
    temperature_K
        Temperature of the run.
    start_ps
        Start time.

    Returns
    -------
    T_ML of each atom, for stages that rank atoms.

    Raises
    ------
    VariableError
        If T_ML has other dims or no labels.
    StageError
        If there is no such temperature or start time, or a value is not finite.
    """
    picked = take_labels(learned, "learned", LEARNED, "temperature", [temperature_K])
    picked = take_labels(picked, "learned", LEARNED, "start", [start_ps]).isel(temperature=0)
    values = read_along(picked, "learned", LEARNED, "start")
    return make_dataset(
        {"atom_learned_temperature": values[..., 0]}, {"sample": learned["sample"].to_numpy()}
    )
