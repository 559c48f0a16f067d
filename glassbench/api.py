"""The Python interface: ``run = glassbench.run("sf-2020")``, ``run["fit"]``, ``run.verdicts``."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassbench.data import find_spec, reference_folder
from glassbench.engine.execute import join_samples
from glassbench.engine.graph import ancestors
from glassbench.engine.run import Failure, Results, compute
from glassbench.engine.stages import load_stages
from glassbench.engine.store import Store
from glassbench.errors import SpecError
from glassbench.scores.verdicts import Verdict, judge
from glassbench.spec.load import load_spec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd
    import xarray as xr

    from glassbench.engine.progress import Reporter
    from glassbench.spec.model import Protocol, Spec

STORE_VARIABLE = "GLASSBENCH_STORE"
SEEDS = "store"


class Run:
    """A spec that was run at one scale: its results, verdicts and where they came from.

    ``run["fit"]`` is the Dataset of a stage, with a leading ``sample`` dim where the stage works
    per sample.

    Parameters
    ----------
    spec
        What was run.
    protocol
        Its stages at the scale of the run.
    store
        Where the results are.
    results
        Keys of the results, and what failed.
    """

    def __init__(self, spec: Spec, protocol: Protocol, store: Store, results: Results) -> None:
        self.spec = spec
        self.protocol = protocol
        self.store = store
        self.results = results
        self._loaded: dict[str, xr.Dataset] = {}

    def __repr__(self) -> str:
        return f"<Run {self.spec.key} at {self.scale} scale: {', '.join(self)}>"

    def __getitem__(self, stage_id: str) -> xr.Dataset:
        """Return the result of a stage.

        Raises
        ------
        KeyError
            If the spec has no such stage, or it has no result; the message says why.
        """
        if stage_id not in self.protocol.stages:
            raise KeyError(f"no stage {stage_id!r}; there are {', '.join(self.protocol.stages)}")
        keys = self.results.keys.get(stage_id)
        if not keys:
            raise KeyError(self._reason(stage_id))
        if stage_id not in self._loaded:
            self._loaded[stage_id] = self._load(stage_id, keys)
        return self._loaded[stage_id]

    def _load(self, stage_id: str, keys: Mapping[int | None, str]) -> xr.Dataset:
        if None in keys:
            return self.store.load(keys[None])
        samples = tuple(index for index in keys if index is not None)
        parts = [self.store.load(keys[index]) for index in samples]
        return join_samples(parts, samples, self.protocol.label_samples(stage_id, samples))

    def _reason(self, stage_id: str) -> str:
        return self.results.reason(stage_id, ancestors(self.protocol, stage_id))

    def __contains__(self, stage_id: object) -> bool:
        return bool(self.results.keys.get(str(stage_id)))

    def __iter__(self) -> Any:  # noqa: ANN401  # an iterator of stage ids
        return (stage_id for stage_id in self.protocol.stages if stage_id in self)

    @property
    def scale(self) -> str:
        """Name of the scale."""
        return self.protocol.scale

    @property
    def failures(self) -> list[Failure]:
        """Tasks that failed."""
        return self.results.failures

    @cached_property
    def judged(self) -> tuple[Verdict, ...]:
        """The verdict on every claim, in the order of the spec."""
        needed = {ref.stage for check in self.spec.checks for ref in _refs(check)}
        data = {stage_id: self[stage_id] for stage_id in needed if stage_id in self}
        reasons = {name: self._reason(name) for name in needed if name not in data}
        return tuple(
            judge(check, self.spec.published[check.claim], data, self.scale, reasons)
            for check in self.spec.checks
        )

    @property
    def verdicts(self) -> pd.DataFrame:
        """The verdicts as a table, one row per claim."""
        import pandas as pd  # noqa: PLC0415  # the command line has no use for it

        return pd.DataFrame([verdict.to_dict() for verdict in self.judged]).set_index("claim")

    def provenance(self) -> list[dict[str, Any]]:
        """Return one record per result: stage, sample, key, whether it was reused, its making.

        A sample of a series has its member too.
        """
        records = []
        for stage_id in self:
            for sample, key in self.results.keys[stage_id].items():
                entry = self.store.find(key)
                if entry is not None:
                    reused = key not in self.results.computed
                    own: dict[str, Any] = {
                        "stage": stage_id,
                        "sample": sample,
                        "reused": reused,
                        "seed": entry.is_seed,
                    }
                    samples = [] if sample is None else [sample]
                    if members := self.protocol.label_samples(stage_id, samples):
                        own["member"] = members[0]
                    records.append({**entry.provenance(), **own})
        return records

    def report(self, out: Path | str | None = None) -> Path:
        """Write the HTML report, ``verdicts.json`` and ``scores.nc``; return the page's path.

        Parameters
        ----------
        out
            The folder; ``reports/<key>/<scale>`` under the current folder by default.
        """
        from glassbench.report.build import write_report  # noqa: PLC0415  # matplotlib is slow

        folder = Path(out) if out else Path("reports") / self.spec.key / self.scale
        return write_report(self, folder)


def _refs(check: Any) -> list[Any]:  # noqa: ANN401
    return [*check.scores, *(bound.score for bound in check.bounds)]


def open_store(folder: Path | str | None = None) -> Store:
    """Open the user's store, with the shipped results behind it.

    Parameters
    ----------
    folder
        By default the folder in the environment variable ``GLASSBENCH_STORE``, else
        ``glassbench/store`` in the user's cache folder.
    """
    if folder is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = os.environ.get(STORE_VARIABLE) or cache / "glassbench" / "store"
    store = Store(Path(folder).expanduser().absolute(), [reference_folder() / SEEDS])
    store.sweep()
    return store


def open_spec(spec: str | Path | Spec) -> Spec:
    """Load and check a spec, given by its key, its path, or already loaded."""
    if isinstance(spec, str | Path):
        return load_spec(find_spec(str(spec)), load_stages())
    return spec


def run(
    spec: str | Path | Spec,
    scale: str = "laptop",
    *,
    store: Store | Path | str | None = None,
    until: str | None = None,
    fresh: Collection[str] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    command: str = "",
    reporter: Reporter | None = None,
) -> Run:
    """Run a spec: compute what the store does not have, and judge the claims.

    Parameters
    ----------
    spec
        Key of a spec, path of its file, or a loaded one.
    scale
        Name of the scale.
    store
        A store or its folder; the user's by default.
    until
        Stop after this stage.
    fresh
        Stages to compute anew, with all that depends on them.
    workers
        Number of local worker processes, at least one; one per core by default.
    scheduler
        Address of a dask scheduler to use instead.
    command
        Noted in the provenance of what is computed.
    reporter
        Told what happens; silent by default.
    """
    loaded = open_spec(spec)
    protocol = loaded.at_scale(scale)
    check_stage_names(protocol, [*fresh, *([until] if until else [])])
    place = store if isinstance(store, Store) else open_store(store)
    results = compute(
        protocol,
        place,
        until=until,
        fresh=fresh,
        workers=workers,
        scheduler=scheduler,
        command=command or f"glassbench.run({loaded.key!r}, scale={scale!r})",
        reporter=reporter,
    )
    return Run(loaded, protocol, place, results)


def check_stage_names(protocol: Protocol, names: Collection[str]) -> None:
    """Refuse names that are no stages of the protocol."""
    for name in names:
        if name not in protocol.stages:
            raise SpecError(
                f"the spec {protocol.key} has no stage {name!r}",
                expected=", ".join(protocol.stages),
            )
