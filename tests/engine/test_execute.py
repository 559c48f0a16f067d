"""One task: inputs are read and joined, the stage is called, its result checked and stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.execute import Order, Outcome, execute, join_samples, share_samples
from glassbench.engine.keys import TaskSpec
from glassbench.engine.provenance import Meter, forget_peak_memory
from glassbench.engine.store import Store
from glassbench.engine.why import plan_tasks
from glassbench.errors import StageError
from glassbench.spec.model import Protocol

LoadProtocol = Callable[..., Protocol]


@pytest.fixture
def tasks(load_demo: LoadProtocol) -> dict[str, TaskSpec]:
    """Return the tasks of the demo by label."""
    return {task.label: task for task in plan_tasks(load_demo())}


def calls(mischief: Path) -> int:
    """Count the calls of stages, one process counted once per stage and sample."""
    return len(list(mischief.glob("called-*")))


def test_whole_chain(tasks: dict[str, TaskSpec], store: Store) -> None:
    """Every task finds what the ones before it have stored."""
    for task in tasks.values():
        assert execute(task, store, Order("glassbench run demo", "run 1")) == Outcome()
    total = store.load(tasks["total"].key)
    energies = [store.load(tasks[f"energy[{i}]"].key)["potential_energy"].item() for i in range(4)]
    assert total["pressure"].item() == pytest.approx(sum(energies))
    assert len(set(energies)) == 4


def test_provenance_says_all(tasks: dict[str, TaskSpec], store: Store) -> None:
    """How, where and from what a result was made is stored beside it."""
    task = tasks["atoms[2]"]
    execute(task, store, Order("glassbench run demo", "run 1"))
    entry = store.find(task.key)
    assert entry is not None
    record = entry.provenance()
    assert record["identity"] == task.identity
    assert (record["command"], record["run"]) == ("glassbench run demo", "run 1")
    assert record["wall_s"] >= 0
    assert record["peak_memory_MiB"] > 1
    assert record["software"]["numpy"] == np.__version__
    assert record["machine"]["cores"] >= 1
    assert record["finished"].endswith("+00:00")


def test_result_that_came_meanwhile_is_reused(
    tasks: dict[str, TaskSpec], store: Store, mischief: Path
) -> None:
    """Another run may have been faster; and a worker that dies does not lose what it finished."""
    task = tasks["atoms[0]"]
    execute(task, store, Order(run_id="run 1"))
    assert calls(mischief) == 1
    for path in mischief.iterdir():
        path.unlink()
    assert execute(task, store, Order(run_id="run 2")) == Outcome(reused=True)
    assert execute(task, store, Order(run_id="run 1", fresh=True)) == Outcome(reused=True)
    assert calls(mischief) == 0
    assert execute(task, store, Order(run_id="run 2", fresh=True)) == Outcome()
    assert calls(mischief) == 1


def test_any_exception_becomes_a_message(
    tasks: dict[str, TaskSpec], store: Store, mischief: Path
) -> None:
    """Stages may raise what they want; the traceback is kept for those who ask."""
    (mischief / "atoms-1").write_text("raise")
    outcome = execute(tasks["atoms[1]"], store, Order())
    assert outcome.error == (
        "the stage failed\n  got      ValueError: nothing good can come of this sample"
    )
    assert "Traceback" in outcome.traceback
    assert "_misbehave" in outcome.traceback
    assert store.find(tasks["atoms[1]"].key) is None


def test_missing_input_becomes_a_message(tasks: dict[str, TaskSpec], store: Store) -> None:
    """An input that was damaged meanwhile is named."""
    outcome = execute(tasks["energy[0]"], store, Order())
    assert "a result is missing or damaged" in outcome.error
    assert tasks["atoms[0]"].key in outcome.error


def test_stage_that_the_worker_does_not_have(tasks: dict[str, TaskSpec], store: Store) -> None:
    """A worker with other packages says what it lacks."""
    outcome = execute(replace(tasks["table"], uses="demo.novel@1"), store, Order())
    assert "the worker does not have the stage" in outcome.error
    assert "demo.novel@1" in outcome.error
    assert "GLASSBENCH_PLUGINS" in outcome.error


def test_inputs_that_the_spec_names(load_demo: LoadProtocol, store: Store) -> None:
    """They come under these names, with the variables that are named alone."""
    ratio = (
        "  ratio: {uses: demo.ratio@1, from: {energy: energy, big: atoms, table: table},\n"
        "    with: {variables: {big: atomic_volume, table: mass}}}\nscales:"
    )
    tasks = {task.label: task for task in plan_tasks(load_demo(("scales:", ratio)))}
    assert isinstance(tasks["ratio"].inputs["table"], str)
    assert len(tasks["ratio"].inputs["big"]) == 4
    for task in tasks.values():
        assert execute(task, store, Order()) == Outcome()
    volumes = [store.load(tasks[f"atoms[{i}]"].key)["atomic_volume"].mean() for i in range(4)]
    energies = [store.load(tasks[f"energy[{i}]"].key)["potential_energy"] for i in range(4)]
    mass = store.load(tasks["table"].key)["mass"].mean()
    expected = (np.mean(volumes) + mass.item()) / np.mean(energies)
    assert store.load(tasks["ratio"].key)["pressure"].item() == pytest.approx(expected)


def test_scratch_folder_is_gone_afterwards(tasks: dict[str, TaskSpec], tmp_path: Path) -> None:
    """Only the result is left, also of a relative store."""
    store = Store(tmp_path / "deep" / "store")
    execute(tasks["table"], store, Order())
    assert [path.name for path in store.folder.iterdir()] == [tasks["table"].key]


def sample(n_atoms: int, value: float) -> xr.Dataset:
    """Return what stands for one sample."""
    values = {"x": ("atom", np.full(n_atoms, value), {"units": "K"}), "y": ((), value)}
    coords = {"atom": np.arange(n_atoms), "species": ["Cu", "Zr"]}
    return xr.Dataset(values, coords, {"same": "a", "different": value})


def test_samples_are_joined_along_a_leading_dim() -> None:
    """Scalars too gain the dim; labels of other dims do not."""
    joined = join_samples([sample(3, 1.0), sample(3, 2.0)], (0, 5))
    assert joined["x"].dims == ("sample", "atom")
    assert joined["y"].dims == ("sample",)
    assert list(joined["sample"].values) == [0, 5]
    assert list(joined["species"].values) == ["Cu", "Zr"]
    assert joined["x"].attrs == {"units": "K"}
    assert joined.attrs == {"same": "a"}


def test_samples_of_different_sizes_are_refused() -> None:
    """Atoms of different structures have no common index."""
    with pytest.raises(StageError, match=r"(?s)do not fit together.*'atom': 3.*'atom': 4"):
        join_samples([sample(3, 1.0), sample(4, 2.0)], (0, 1))
    plain = [sample(n, 1.0).drop_vars("atom") for n in (3, 4)]
    with pytest.raises(StageError, match="do not fit together"):
        join_samples(plain, (0, 1))


def test_samples_may_be_recorded_at_other_times() -> None:
    """Glasses of several quench rates have records of their own."""
    times = ([0.0, 1.0, 2.0], [0.0, 2.0, 4.0, 6.0])
    parts = [
        sample(3, 1.0).assign(volume=("time", [10.0 + t for t in own])).assign_coords(time=own)
        for own in times
    ]
    joined = join_samples(parts, (0, 1), ("fast", "slow"))
    assert list(joined["time"].values) == [0, 1, 2, 4, 6]
    for k, own in enumerate(times):
        records = joined["volume"].isel(sample=k).dropna("time")
        assert list(records["time"].values) == own
        assert list(records.values) == [10 + t for t in own]
    assert joined["x"].shape == (2, 3)
    plain = [part.drop_vars("time") for part in parts]
    with pytest.raises(StageError, match=r"(?s)do not fit together.*'time': 3.*'time': 4"):
        join_samples(plain, (0, 1))


def test_memory_is_that_of_the_task(tasks: dict[str, TaskSpec], store: Store) -> None:
    """What the process needed before, and gave back, is not counted."""
    if not forget_peak_memory():
        pytest.skip("the system keeps the peak of the whole life of a process")
    np.ones(2**25)  # 256 MiB
    execute(tasks["table"], store, Order())
    record = store.provenance(tasks["table"].key)
    assert 0 <= record["task_memory_MiB"] < 128
    meter = Meter()
    np.ones(2**25)
    taken = meter.read()
    assert 250 < taken["task_memory_MiB"] < 300
    assert taken["peak_memory_MiB"] > taken["task_memory_MiB"]
    assert taken["wall_s"] > 0


def test_memory_where_the_system_does_not_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the peak of the process is all that is known."""
    monkeypatch.setattr("glassbench.engine.provenance.forget_peak_memory", lambda: False)
    assert Meter().read().keys() == {"wall_s", "peak_memory_MiB"}


def _of_samples(*samples: int) -> xr.Dataset:
    values = np.array(samples, np.float64)
    return xr.Dataset({"pressure": ("sample", values)}, coords={"sample": list(samples)})


def test_inputs_share_their_samples() -> None:
    """What one of them lacks the others lose; what has no samples is left alone."""
    plain = xr.Dataset({"r_cut": 1.0})
    found = share_samples({"a": _of_samples(0, 1, 2, 3), "b": _of_samples(1, 3), "c": plain})
    assert found["a"]["pressure"].values.tolist() == [1, 3]
    assert found["b"]["sample"].values.tolist() == [1, 3]
    assert found["c"] is plain
    same = _of_samples(0, 1)
    assert share_samples({"a": same})["a"] is same


def test_inputs_without_a_common_sample() -> None:
    """There is nothing to work on."""
    with pytest.raises(StageError, match=r"(?s)no sample in common.*\[0, 1\]; \[2\]"):
        share_samples({"a": _of_samples(0, 1), "b": _of_samples(2)})
