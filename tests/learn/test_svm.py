"""Atoms that rearrange are told apart by models that have not seen them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from glassbench.engine.check import check_output
from glassbench.engine.stages import load_stages
from glassbench.errors import StageError, VariableError
from glassbench.learn.splits import draw_stratified_folds
from glassbench.learn.svm import svm
from glassbench.stage import Task

Array = NDArray[np.float64]
ATOMS = ("sample", "atom")
SETTINGS: dict[str, Any] = {
    "features": {"radial": "radial_function", "motion": "vibrational_msd"},
    "log2_c_grid": [-1.0, 1.0],
    "log2_gamma_grid": [-4.0, -2.0],
    "seed": 5,
    "n_folds": 3,
    "task": Task(),
}


@dataclass(frozen=True)
class Toy:
    """Labels, a family of several features and one of a single feature."""

    is_active: NDArray[np.bool_]
    radial: Array
    motion: Array

    def classify(self, **changes: Any) -> xr.Dataset:  # noqa: ANN401  # settings of any kind
        """Run the stage."""
        coords = {"sample": np.arange(len(self.is_active))}
        index = np.zeros(self.is_active.shape, dtype=np.int64)
        return svm(
            xr.Dataset({"species_index": (ATOMS, index)}, coords),
            xr.Dataset({"is_rearranged": (ATOMS, self.is_active.astype(np.int8))}, coords),
            radial=xr.Dataset({"radial_function": ((*ATOMS, "feature"), self.radial)}, coords),
            motion=xr.Dataset({"vibrational_msd": (ATOMS, self.motion)}, coords),
            **(SETTINGS | changes),
        )

    def relabelled(self, sample: int) -> Toy:
        """Return the same glass with the labels of one sample turned around."""
        is_active = self.is_active.copy()
        is_active[sample] = np.roll(is_active[sample], 7)
        return replace(self, is_active=is_active)


@dataclass(frozen=True)
class Chosen:
    """Which atoms saddles were searched around, and which of them were drawn."""

    is_searched: NDArray[np.bool_]
    is_drawn: NDArray[np.bool_]

    def data(self) -> xr.Dataset:
        """Return both as a stage would."""
        masks = {"is_searched": self.is_searched, "is_drawn": self.is_drawn}
        return xr.Dataset(
            {name: (ATOMS, mask.astype(np.int8)) for name, mask in masks.items()},
            {"sample": np.arange(len(self.is_drawn))},
        )


def _make_toy(n_samples: int = 3, n_atoms: int = 80, shift: float = 1.0, share: float = 0.2) -> Toy:
    """Make Gaussian features, shifted for the rearranged atoms."""
    rng = np.random.default_rng(3)
    is_active = np.zeros((n_samples, n_atoms), dtype=bool)
    for row in is_active:
        row[rng.choice(n_atoms, round(share * n_atoms), replace=False)] = True
    x = rng.normal(size=(n_samples, n_atoms, 4)) + shift * is_active[..., None]
    return Toy(is_active, 30 + 2 * x[..., :3], 1e-2 * (1 + 0.1 * x[..., 3]))


def test_separable_classes_are_told_apart() -> None:
    """Every atom of every sample is on its side, though no model has seen it."""
    toy = _make_toy(shift=8.0)
    result = toy.classify()
    assert ((result["decision_value"].values > 0) == toy.is_active).all()
    assert ((result["decision_value_one_model"].values > 0) == toy.is_active).all()
    assert (result["cv_accuracy"] == 1).all()


def test_exclusive_or_is_learnt() -> None:
    """Signs that agree against signs that differ: no straight line tells these apart."""
    rng = np.random.default_rng(0)
    is_active = np.tile(np.arange(100) % 5 < 2, (3, 1))
    first = rng.choice([-1.0, 1.0], (3, 100))
    second = np.where(is_active, -first, first)
    x = np.stack([first, second], axis=-1) + 0.2 * rng.normal(size=(3, 100, 2))
    toy = Toy(is_active, x[..., :1], x[..., 1])
    result = toy.classify(log2_c_grid=[4.0], log2_gamma_grid=[0.0])
    assert ((result["decision_value"].values > 0) == is_active).all()


def test_noise_gives_a_coin_toss() -> None:
    """Without information held-out accuracy is 1/2 in either class, in cross-validation too."""
    toy = _make_toy(n_samples=4, n_atoms=300, shift=0.0)
    result = toy.classify(tune="each")
    right = (result["decision_value"].values > 0) == toy.is_active
    n_active = toy.is_active.sum()
    assert right[toy.is_active].mean() == pytest.approx(0.5, abs=2 / np.sqrt(n_active))
    assert np.allclose(result["cv_accuracy"], 0.5, atol=0.1)


def test_it_is_the_protocol_written_down_naively() -> None:
    """scikit-learn's pipeline, trained on the same atoms, decides and scores alike."""
    toy = _make_toy()
    result = toy.classify()
    x = np.concatenate([toy.radial, toy.motion[..., None]], axis=-1)
    train = result["is_trained"].values.astype(bool)
    assert not train[-1].any()
    assert (train & toy.is_active).sum() == toy.is_active[:-1].sum() == train.sum() / 2
    label = np.where(toy.is_active[train], 1, -1)
    fold = draw_stratified_folds(label, n_folds=3, rng=np.random.default_rng([5, 2, 1]))
    splits = [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(3)]
    weights = np.bincount(fold)
    accuracy = np.empty((2, 2))
    for i, log2_c in enumerate(SETTINGS["log2_c_grid"]):
        for j, log2_gamma in enumerate(SETTINGS["log2_gamma_grid"]):
            model = _make_pipeline(log2_c, log2_gamma)
            scores = cross_val_score(model, x[train], label, cv=splits)
            accuracy[i, j] = np.average(scores, weights=weights)
    assert np.allclose(result["cv_accuracy"], accuracy, atol=1e-12)
    assert np.ptp(accuracy) > 0
    chosen = float(result["chosen_log2_c"]), float(result["chosen_log2_gamma"])
    model = _make_pipeline(*chosen).fit(x[train], label)
    for k in range(3):
        expected = model.decision_function(x[k])
        assert np.allclose(result["decision_value_one_model"][k], expected, atol=2e-5)
    assert result["n_support"].values[-1] == model[-1].support_.size


def _make_pipeline(log2_c: float, log2_gamma: float) -> Any:  # noqa: ANN401  # untyped
    svc = SVC(C=2.0**log2_c, gamma=2.0**log2_gamma, tol=1e-6)
    return make_pipeline(StandardScaler(), svc)


def test_the_last_sample_is_judged_alike_by_both() -> None:
    """The one model is the one that leaves out the last sample."""
    result = _make_toy().classify()
    one, each = (result[name].values for name in ("decision_value_one_model", "decision_value"))
    assert np.array_equal(one[-1], each[-1])
    assert not np.allclose(one[0], each[0], atol=1e-3)


def test_the_atoms_are_counted() -> None:
    """Twice the rearranged atoms of the other samples."""
    toy = _make_toy()
    toy.is_active[0, :10] = True
    active = toy.is_active.sum(axis=1)
    result = toy.classify()
    assert np.array_equal(result["n_trained"], 2 * (active.sum() - active))
    assert (result["n_support"] <= result["n_trained"]).all()
    assert result["is_trained"].sum() == result["n_trained"][-1]


@pytest.mark.parametrize(("tune", "sample"), [("once", 2), ("each", 0), ("each", 1), ("each", 2)])
def test_labels_of_the_test_sample_do_not_leak(tune: str, sample: int) -> None:
    """With other labels in the sample left out its decision values are the same bits."""
    toy, other = _make_toy(), _make_toy().relabelled(sample)
    first, second = toy.classify(tune=tune), other.classify(tune=tune)
    same = first["decision_value"].values == second["decision_value"].values
    assert same[sample].all()
    assert not same[np.arange(3) != sample].any()


def test_features_of_the_test_sample_do_not_leak() -> None:
    """Shifted atoms change their own values, and no model but those that saw them."""
    toy = _make_toy()
    radial = toy.radial.copy()
    radial[2, 1:] += 3.0
    first, second = toy.classify(), replace(toy, radial=radial).classify()
    assert first["decision_value"][2, 0] == second["decision_value"][2, 0]
    assert np.array_equal(
        first["decision_value_one_model"][:2], second["decision_value_one_model"][:2]
    )


def test_tuned_once_the_choice_is_shared() -> None:
    """And tuned by each it need not be; the last sample's is the same."""
    toy = _make_toy()
    grids = {"log2_c_grid": [-5.0, 0.0, 5.0], "log2_gamma_grid": [-6.0, -3.0, 0.0]}
    once, each = toy.classify(**grids), toy.classify(**grids, tune="each")
    fixed = toy.classify(
        log2_c_grid=[float(once["chosen_log2_c"])],
        log2_gamma_grid=[float(once["chosen_log2_gamma"])],
    )
    assert np.array_equal(once["decision_value"], fixed["decision_value"])
    assert np.array_equal(once["decision_value"][-1], each["decision_value"][-1])
    assert not np.array_equal(once["decision_value"], each["decision_value"])
    assert np.array_equal(once["cv_accuracy"], each["cv_accuracy"])


def test_of_equal_choices_the_smoothest_is_taken() -> None:
    """All points of the grid are right everywhere: the smallest C, then the smallest gamma."""
    result = _make_toy(shift=8.0).classify()
    assert result["chosen_log2_c"] == -1
    assert result["chosen_log2_gamma"] == -4


def test_the_best_accuracy_is_chosen() -> None:
    """At gamma = 2^8 every atom is alone, and at 2^-3 it is not."""
    result = _make_toy().classify(log2_gamma_grid=[-3.0, 8.0])
    best = result["cv_accuracy"].where(result["cv_accuracy"] == result["cv_accuracy"].max())
    chosen = result["cv_accuracy"].sel(
        log2_c=result["chosen_log2_c"], log2_gamma=result["chosen_log2_gamma"]
    )
    assert chosen == best.max()
    assert result["chosen_log2_gamma"] == -3


def test_it_is_deterministic() -> None:
    """The same seed gives the same bits; another one draws other atoms."""
    toy = _make_toy()
    xr.testing.assert_identical(toy.classify(), toy.classify())
    assert not np.array_equal(toy.classify(seed=6)["is_trained"], toy.classify()["is_trained"])


def test_the_order_of_atoms_does_not_matter() -> None:
    """With as many atoms of either class nothing is drawn, and the order is all that changes."""
    toy = _make_toy(share=0.5)
    order = np.random.default_rng(1).permutation(80)
    turned = Toy(toy.is_active[:, order], toy.radial[:, order], toy.motion[:, order])
    grid = {"log2_c_grid": [1.0], "log2_gamma_grid": [-3.0]}
    first, second = toy.classify(**grid), turned.classify(**grid)
    assert np.allclose(
        first["decision_value"].values[:, order], second["decision_value"], atol=5e-5
    )


def test_units_of_a_feature_do_not_matter() -> None:
    """A million times the numbers, and another zero: they are standardised."""
    toy = _make_toy()
    scaled = replace(toy, motion=1e6 * toy.motion - 7.0)
    first, second = toy.classify(), scaled.classify()
    assert np.allclose(first["decision_value"], second["decision_value"], atol=2e-5)


def test_the_order_of_features_does_not_matter() -> None:
    """Joined the other way round the kernel is the same but for rounding."""
    toy = _make_toy()
    turned = dict(reversed(SETTINGS["features"].items()))
    first, second = toy.classify(), toy.classify(features=turned)
    assert np.allclose(first["decision_value"], second["decision_value"], atol=2e-5)


def test_every_named_family_counts() -> None:
    """Either family alone decides otherwise than both."""
    toy = _make_toy()
    noise = replace(toy, motion=np.random.default_rng(9).normal(size=toy.motion.shape))
    assert not np.allclose(toy.classify()["decision_value"], noise.classify()["decision_value"])


def test_folds_of_whole_samples() -> None:
    """They serve as well, and are not those of atoms."""
    toy = _make_toy(n_samples=4)
    samples = toy.classify(folds_by="samples")
    assert not np.array_equal(samples["cv_accuracy"], toy.classify()["cv_accuracy"])
    assert (samples["cv_accuracy"] > 0.6).all()


def test_a_sample_without_rearranged_atoms_can_be_tested() -> None:
    """It is judged by what the others teach."""
    toy = _make_toy()
    toy.is_active[1] = False
    result = toy.classify()
    assert result["n_trained"].values.tolist() == [32, 64, 32]
    assert np.isfinite(result["decision_value"]).all()


def test_the_result_is_what_is_declared() -> None:
    """Names, dims, kinds and units, as the engine checks them; coordinates are kept."""
    result = _make_toy().classify()
    check_output(load_stages()["learn.svm@2"], result)
    assert result["sample"].values.tolist() == [0, 1, 2]
    assert result["log2_gamma"].values.tolist() == [-4.0, -2.0]


def _choose(toy: Toy, seed: int = 2, share: float = 0.4) -> Chosen:
    """Draw a share of all atoms, and search these and all that are rearranged."""
    is_drawn = np.random.default_rng(seed).random(toy.is_active.shape) < share
    return Chosen(is_drawn | toy.is_active, is_drawn)


def test_a_choice_of_all_atoms_is_none() -> None:
    """The same bits, and all are judged."""
    toy = _make_toy()
    every = np.ones_like(toy.is_active)
    chosen = toy.classify(chosen=Chosen(every, every).data())
    xr.testing.assert_identical(toy.classify(), chosen)
    assert chosen["is_judged"].values.all()
    assert int(chosen["n_features"]) == 4


def test_only_searched_atoms_are_learnt_from() -> None:
    """Features of the others change no model; by drawn ones alone it is judged."""
    toy = _make_toy(share=0.1)
    choice = _choose(toy)
    result = toy.classify(chosen=choice.data())
    assert not (result["is_trained"].values.astype(bool) & ~choice.is_searched).any()
    assert np.array_equal(result["is_judged"].values == 1, choice.is_drawn)
    assert np.isfinite(result["decision_value"]).all()
    radial = np.where(choice.is_searched[..., None], toy.radial, toy.radial[:, ::-1])
    other = replace(toy, radial=radial).classify(chosen=choice.data())
    same = (result["decision_value"] == other["decision_value"]).values
    assert same[choice.is_searched].all()
    assert not same[~choice.is_searched].any()


def test_atoms_that_a_family_does_not_know_are_left_out() -> None:
    """As if the glass did not have them: the same models, and NaN for what they cannot judge."""
    toy = _make_toy(share=0.1)
    choice = _choose(toy)
    known = choice.is_searched
    unknown = replace(toy, radial=np.where(known[..., None], toy.radial, np.nan))
    full, part = toy.classify(chosen=choice.data()), unknown.classify(chosen=choice.data())
    for name in ("decision_value", "decision_value_one_model"):
        assert np.array_equal(np.isfinite(part[name].values), known)
        np.testing.assert_allclose(part[name].values[known], full[name].values[known], rtol=1e-9)
    for name in ("is_trained", "is_judged", "cv_accuracy", "n_trained", "n_support"):
        assert np.array_equal(part[name], full[name])
    alone = unknown.classify()
    assert np.array_equal(alone["decision_value"], part["decision_value"], equal_nan=True)
    assert np.array_equal(alone["is_judged"].values == 1, known)
    check_output(load_stages()["learn.svm@2"], part)


def test_families_with_one_choice_learn_from_the_same_atoms() -> None:
    """So that what tells their accuracies apart is the features."""
    toy = _make_toy(share=0.1)
    choice = _choose(toy)
    unknown = replace(toy, radial=np.where(choice.is_searched[..., None], toy.radial, np.nan))
    both = unknown.classify(chosen=choice.data())
    glass = xr.Dataset({"species_index": (ATOMS, np.zeros(toy.is_active.shape, np.int64))})
    glass = glass.assign_coords(sample=np.arange(3))
    alone = svm(
        glass,
        glass.assign(is_rearranged=(ATOMS, toy.is_active.astype(np.int8))),
        choice.data(),
        motion=glass.assign(vibrational_msd=(ATOMS, toy.motion)),
        **(SETTINGS | {"features": {"motion": "vibrational_msd"}}),
    )
    for name in ("is_trained", "is_judged", "n_trained"):
        assert np.array_equal(both[name], alone[name])
    assert int(alone["n_features"]) == 1


def test_classes_stay_balanced_when_others_are_fewer() -> None:
    """Then rearranged ones are drawn, as many as there are others."""
    toy = _make_toy(share=0.2)
    is_drawn = np.zeros_like(toy.is_active)
    is_drawn[:, ::10] = True
    choice = Chosen(is_drawn | toy.is_active, is_drawn)
    n_others = (choice.is_searched & ~toy.is_active).sum(axis=1)
    assert (n_others < toy.is_active.sum(axis=1)).all()
    result = toy.classify(chosen=choice.data())
    assert np.array_equal(result["n_trained"], 2 * (n_others.sum() - n_others))
    trained = result["is_trained"].values == 1
    assert trained[toy.is_active].sum() == trained[~toy.is_active].sum()
    again = toy.classify(chosen=choice.data(), seed=6)["is_trained"].values == 1
    assert not np.array_equal(trained & toy.is_active, again & toy.is_active)
    assert np.array_equal(trained & ~toy.is_active, again & ~toy.is_active)
    check_output(load_stages()["learn.svm@2"], _make_toy(share=0.6).classify())


def test_a_sample_that_nobody_searched_is_not_judged() -> None:
    """The others are; its decision values are not known."""
    toy = _make_toy()
    toy.radial[1] = np.nan
    result = toy.classify()
    assert np.isnan(result["decision_value"][1]).all()
    assert np.isfinite(result["decision_value"][::2]).all()
    assert not result["is_judged"][1].any()


@pytest.mark.parametrize("tune", ["once", "each"])
def test_progress_rises_to_the_end(tune: str) -> None:
    """Every step is told once, the last of them just before 1."""
    said: list[tuple[float, str]] = []
    _make_toy().classify(tune=tune, task=Task(progress=lambda *what: said.append(what)))
    n_steps = 3 + (3 if tune == "each" else 1) * 3 * 2
    assert np.allclose([done for done, _ in said], np.arange(n_steps) / n_steps)
    assert said[0][1] == "cross-validation, fold 1, log2 gamma = -4"
    assert said[-1][1] == "training without sample 3 of 3"


def test_a_linear_kernel_is_one_word() -> None:
    """It tells shifted classes apart, and has no gamma to choose."""
    toy = _make_toy(shift=8.0)
    found = toy.classify(kernel="linear", log2_gamma_grid=[0.0])
    assert ((found["decision_value"].values > 0) == toy.is_active).all()
    assert float(found["chosen_log2_gamma"]) == 0.0
    with pytest.raises(StageError, match="a linear kernel has no gamma to choose"):
        toy.classify(kernel="linear", log2_gamma_grid=[-1.0, 0.0])


def test_one_sample_is_refused() -> None:
    """There is nothing to learn from."""
    with pytest.raises(StageError, match="one sample cannot be left out of one"):
        _make_toy(n_samples=1).classify()


def test_too_few_rearranged_atoms_are_refused() -> None:
    """Without the first sample there are two, for three folds."""
    toy = _make_toy()
    toy.is_active[1:] = False
    toy.is_active[1, :2] = True
    with pytest.raises(StageError, match="too few rearranged atoms to learn from in 3") as caught:
        toy.classify()
    assert caught.value.got == "2 when the sample at position 0 is left out"


def test_too_few_other_atoms_are_refused() -> None:
    """Two were drawn in the samples that are left, for three folds."""
    toy = _make_toy()
    is_drawn = np.zeros_like(toy.is_active)
    for row, active, n in zip(is_drawn, toy.is_active, (2, 1, 1), strict=True):
        row[np.flatnonzero(~active)[:n]] = True
    choice = Chosen(is_drawn | toy.is_active, is_drawn)
    with pytest.raises(StageError, match="too few other atoms to learn from in 3") as caught:
        toy.classify(chosen=choice.data())
    assert caught.value.got == "2 when the sample at position 0 is left out"


def test_another_choice_is_refused() -> None:
    """Of other atoms, and neither 0 nor 1."""
    toy = _make_toy()
    choice = _choose(toy).data()
    with pytest.raises(VariableError, match="the input 'chosen' do not describe the same atoms"):
        toy.classify(chosen=choice.isel(atom=slice(79)))
    with pytest.raises(StageError, match="'is_drawn' of the input chosen is not a label"):
        toy.classify(chosen=choice.assign(is_drawn=choice["is_drawn"] + 1))


def test_fewer_samples_than_folds_are_refused() -> None:
    """Two whole samples make no three folds."""
    with pytest.raises(StageError, match="fewer training units than folds"):
        _make_toy().classify(folds_by="samples")


def test_a_fold_that_takes_all_rearranged_atoms_is_refused() -> None:
    """They are in one of the three training samples, and in the last one."""
    toy = _make_toy(n_samples=4)
    toy.is_active[1:3] = False
    with pytest.raises(StageError, match="leaves no rearranged atoms to learn from") as caught:
        toy.classify(folds_by="samples")
    assert caught.value.got == "rearranged atoms in 1 training samples"


def test_a_grid_that_does_not_rise_is_refused() -> None:
    """The first of equal ones is to be the smoothest."""
    for name in ("log2_c_grid", "log2_gamma_grid"):
        with pytest.raises(StageError, match=f"{name} is not a search grid"):
            _make_toy().classify(**{name: [1.0, 0.0]})


def test_other_labels_are_refused() -> None:
    """-1 would count as rearranged."""
    toy = _make_toy()
    label = np.where(toy.is_active, 1, -1)
    with pytest.raises(StageError, match="a label is neither 0 nor 1") as caught:
        svm(
            xr.Dataset({"species_index": (ATOMS, label)}),
            xr.Dataset({"is_rearranged": (ATOMS, label)}),
            radial=xr.Dataset(),
            **SETTINGS,
        )
    assert caught.value.got == "-1, 1"
