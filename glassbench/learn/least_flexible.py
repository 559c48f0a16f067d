"""How well the least flexible atoms are told from all others by their surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.learn.atoms import AtomTable, build_table
from glassbench.learn.l2_loss import L2Problem, add_bias, fit_l2, hinge_excess
from glassbench.learn.splits import check_grid, draw_stratified_folds
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]


@stage(
    "learn.least_flexible",
    version=1,
    split=Split.PROTOCOL,
    needs={
        "glass": ("species_index",),
        "radial": ("radial_function",),
        "flexibility": ("flexibility_volume",),
    },
    makes=("accuracy", "accuracy_interval", "accuracy_repeat", "n_labelled"),
)
def least_flexible(
    glass: xr.Dataset,
    radial: xr.Dataset,
    flexibility: xr.Dataset,
    *,
    share: Annotated[dict[str, float], Quantity(gt=0, le=0.5)],
    c_grid: Annotated[list[float], Quantity(gt=0)],
    seed: Annotated[int, Quantity(ge=0)],
    task: Task,
    n_folds: Annotated[int, Quantity(ge=2)] = 5,
    n_repeats: Annotated[int, Quantity(ge=1)] = 10,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    tolerance: Annotated[float, Quantity(gt=0, lt=1)] = 1e-8,
    max_iter: Annotated[int, Quantity(ge=1)] = 100,
) -> xr.Dataset:
    """Classify the least flexible atoms against as many others by a linear SVM.

    As in Fan, Ding and Ma, Mater. Today 40, 48 (2020), 'Machine learning': the atoms of the
    lowest share of v_flex are labelled -1 and as many drawn from the rest +1; an
    L2-regularised L2-loss support vector classifier learns from 4/5 of them and is tested
    on 1/5. The paper does this once, with some 8 600 atoms of either class.
    With some tens, one test part of ten atoms says little, so here every labelled atom is
    held out once, in five folds of the same 4:1, and the whole is repeated with other atoms
    drawn from the rest and other folds. C is chosen by cross-validation in as many folds
    inside each training part, by accuracy, the smallest of equal ones.

    The interval is made of Wilson's for each class, see `balanced_interval`. All repeats share
    the atoms labelled -1, which are therefore counted once, however many repeats there are;
    those labelled +1 are drawn anew and count in each. So the interval keeps a width when no atom
    is misjudged, where resampling the atoms would leave none. It takes the held-out
    predictions of one model as independent; in trials on Gaussian data with 20 to 36 atoms in
    either class and up to 98 features it covered 95 to 97 % at a nominal 95 %.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    radial
        Holds radial_function (sample, atom, feature).
    flexibility
        Holds flexibility_volume (sample, atom) in angstrom^3.
    share
        Share of the atoms of each species, over all samples, that counts as least flexible.
    c_grid
        Values of the regularisation parameter C to try, rising.
    seed
        Fixes the atoms drawn and the folds.
    task
        Takes the progress.
    n_folds
        Number of folds; 5 is the paper's 4:1.
    n_repeats
        Number of draws.
    confidence
        Confidence level of the interval.
    tolerance
        Norm of the gradient, relative to the one at zero weights, at which to stop.
    max_iter
        Largest number of Newton steps of one fit.

    Returns
    -------
    Accuracy, its interval and its value in each repeat per species, and the number of
    labelled atoms.

    Raises
    ------
    StageError
        If a species has no share, fewer atoms than folds are labelled, or a fit does not
        converge.
    """
    check_grid("c_grid", c_grid)
    table = build_table(glass, radial, flexibility)
    _check_shares(table.species, share)
    judge = _Judge(c_grid, n_folds, tolerance, max_iter)
    right = np.empty((len(table.species), n_repeats, 2))  # share of either class
    n_labelled = np.empty(len(table.species), dtype=np.int64)
    for k, name in enumerate(table.species):
        low, rest = _divide(table, k, share[name], n_folds)
        n_labelled[k] = 2 * low.size
        for repeat in range(n_repeats):
            done = (k + repeat / n_repeats) / len(table.species)
            task.progress(done, f"{name}, repeat {repeat + 1} of {n_repeats}")
            rng = np.random.default_rng([seed, k, repeat])
            drawn = rng.choice(rest, low.size, replace=False)
            label = np.repeat([-1, 1], low.size)
            x = add_bias(table.features[np.concatenate([low, drawn])])
            is_right = judge.predict_held_out(x, label, rng) == label
            right[k, repeat] = is_right.reshape(2, -1).mean(axis=1)
    n_predictions = n_labelled[:, None] // 2 * np.array([1, n_repeats])
    return make_dataset(
        {
            "accuracy": right.mean(axis=(1, 2)),
            "accuracy_interval": balanced_interval(right.mean(axis=1), n_predictions, confidence),
            "accuracy_repeat": right.mean(axis=2),
            "n_labelled": n_labelled,
        },
        {"species": list(table.species), "bound": ["low", "high"], "repeat": range(n_repeats)},
    )


def balanced_interval(share: FloatArray, n: IntArray, confidence: float) -> FloatArray:
    """Return the confidence interval of the mean of two independent shares.

    Each share has Wilson's interval, and the distances to its bounds add in quadrature:
    method 10 of R. G. Newcombe, Stat. Med. 17, 873 (1998), there for the difference.

    Parameters
    ----------
    share
        Observed pairs of shares, shape (m, 2).
    n
        Numbers of observations, shape (m, 2).
    confidence
        Confidence level.

    Returns
    -------
    Lower and upper bounds, shape (m, 2).
    """
    from scipy.special import ndtri  # noqa: PLC0415  # keeps the command line quick to start

    z = float(ndtri(0.5 + confidence / 2))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    below = np.linalg.norm(share - (centre - half), axis=1) / 2
    above = np.linalg.norm(centre + half - share, axis=1) / 2
    mean = share.mean(axis=1)
    return np.column_stack([mean - below, mean + above])


def _check_shares(species: Sequence[str], share: dict[str, float]) -> None:
    if set(share) != set(species):
        raise StageError(
            "share does not name the species of the glass",
            got=", ".join(share) or "none",
            expected=", ".join(species),
        )


def _divide(table: AtomTable, k: int, share: float, n_folds: int) -> tuple[IntArray, IntArray]:
    """Divide the atoms of species k into the least flexible and the rest."""
    atoms = table.atoms_of(k)
    n_low = round(share * atoms.size)
    # Inside each training part there must be atoms for as many folds again.
    if n_low - -(-n_low // n_folds) < n_folds:
        raise StageError(
            f"too few atoms of {table.species[k]} are labelled for {n_folds} folds",
            got=f"{n_low} of {atoms.size} atoms, the lowest share of {share:g}",
            expected=f"at least {n_folds} in the training part of each fold",
            remedy="use more samples, a larger share or fewer folds",
        )
    order = np.argsort(table.flexibility[atoms], kind="stable")
    return atoms[order[:n_low]], atoms[order[n_low:]]


@dataclass(frozen=True)
class _Judge:
    """A linear SVM with C chosen inside its training part."""

    c_grid: Sequence[float]
    n_folds: int
    tolerance: float
    max_iter: int

    def predict_held_out(
        self, x: FloatArray, label: IntArray, rng: np.random.Generator
    ) -> IntArray:
        """Predict every atom by a model that was neither fitted nor tuned on it."""
        fold = draw_stratified_folds(label, n_folds=self.n_folds, rng=rng)
        prediction = np.empty_like(label)
        for i in range(self.n_folds):
            train, test = fold != i, fold == i
            c = self._choose_c(x[train], label[train], rng)
            prediction[test] = self._predict(c, x[train], label[train], x[test])
        return prediction

    def _choose_c(self, x: FloatArray, label: IntArray, rng: np.random.Generator) -> float:
        if len(self.c_grid) == 1:
            return self.c_grid[0]
        fold = draw_stratified_folds(label, n_folds=self.n_folds, rng=rng)
        n_right = np.zeros(len(self.c_grid), dtype=np.int64)
        for i in range(self.n_folds):
            train, test = fold != i, fold == i
            for j, c in enumerate(self.c_grid):
                prediction = self._predict(c, x[train], label[train], x[test])
                n_right[j] += np.count_nonzero(prediction == label[test])
        return self.c_grid[int(np.argmax(n_right))]

    def _predict(self, c: float, x: FloatArray, label: IntArray, x_test: FloatArray) -> IntArray:
        problem = L2Problem(x, hinge_excess(label), c)
        w = fit_l2(problem, tolerance=self.tolerance, max_iter=self.max_iter)
        return np.where(x_test @ w > 0, 1, -1)
