"""Structural flexibility: linear support vector regression on radial functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.learn.atoms import AtomTable, build_table
from glassbench.learn.l2_loss import L2Problem, add_bias, fit_l2, tube_excess
from glassbench.learn.splits import SplitBy, check_grid, draw_folds, draw_test
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]


@stage(
    "learn.linear_svr",
    version=1,
    split=Split.PROTOCOL,
    needs={
        "glass": ("species_index",),
        "radial": ("radial_function",),
        "flexibility": ("flexibility_volume",),
    },
    makes=(
        "structural_flexibility",
        "log_flexibility",
        "is_test",
        "weight",
        "bias",
        "chosen_c",
        "chosen_epsilon",
        "cv_pearson_r",
        "test_pearson_r",
    ),
)
def linear_svr(
    glass: xr.Dataset,
    radial: xr.Dataset,
    flexibility: xr.Dataset,
    *,
    c_grid: Annotated[list[float], Quantity(gt=0)],
    epsilon_grid: Annotated[list[float], Quantity(ge=0)],
    seed: Annotated[int, Quantity(ge=0)],
    task: Task,
    split: SplitBy = "atoms",
    test_share: Annotated[float, Quantity(gt=0, lt=1)] = 0.2,
    n_folds: Annotated[int, Quantity(ge=2)] = 5,
    tolerance: Annotated[float, Quantity(gt=0, lt=1)] = 1e-8,
    max_iter: Annotated[int, Quantity(ge=1)] = 100,
) -> xr.Dataset:
    """Learn ln(v_flex) from radial functions, one linear model per species.

    L2-regularised L2-loss support vector regression, equations 4, 6 and 7 of Fan, Ding and
    Ma, Mater. Today 40, 48 (2020): the structural flexibility of an atom is ``w.x``, with the
    raw radial functions and a constant 1 in ``x``, whose weight, the bias, is regularised
    as all others are. C and epsilon are those of the highest Pearson correlation in
    cross-validation, mean over the folds, inside the training part only; of equal ones the
    smallest. The paper says that it tuned them, but not by which measure. It used LIBLINEAR;
    here the same minimum is found by another way, see `fit_l2`.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    radial
        Holds radial_function (sample, atom, feature).
    flexibility
        Holds flexibility_volume (sample, atom) in angstrom^3.
    c_grid
        Values of the regularisation parameter C to try, rising, > 0.
    epsilon_grid
        Values of the half-width of the insensitive tube to try, rising, >= 0.
    seed
        Fixes split and folds.
    task
        Takes the progress.
    split
        Whether single atoms or whole samples are held back. Folds are drawn likewise.
    test_share
        Share of the atoms of each species, or of the samples, that is held back.
    n_folds
        Number of folds inside the training part.
    tolerance
        Norm of the gradient, relative to the one at zero weights, at which to stop.
    max_iter
        Largest number of Newton steps of one fit.

    Returns
    -------
    Structural flexibility of all atoms, ln(v_flex), the mask of the test atoms, the models,
    the grid of the cross-validation, and the correlation on the test part over C at the
    chosen epsilon (Fig. S1). The last one is for show; nothing is chosen by it.

    Raises
    ------
    StageError
        If a flexibility volume is not positive, a part of the split is empty, there are
        fewer training units than folds, a fit does not converge or predicts a constant.
    """
    check_grid("c_grid", c_grid)
    check_grid("epsilon_grid", epsilon_grid)
    table = build_table(glass, radial, flexibility)
    is_test = draw_test(
        table.sample, table.species_index, split=split, test_share=test_share, seed=seed
    )
    trainer = _Trainer(
        table, is_test, split, c_grid, epsilon_grid, n_folds, tolerance, max_iter, seed
    )
    fits = []
    for k, name in enumerate(table.species):
        task.progress(k / len(table.species), f"fitting {name}")
        fits.append(trainer.fit(k))
    coords = {
        **_coords(radial),
        "species": list(table.species),
        "c": c_grid,
        "epsilon": epsilon_grid,
    }
    return make_dataset(_collect(table, is_test, fits), coords)


@dataclass(frozen=True)
class _Fit:
    """What was found for one species."""

    weights: FloatArray
    c: float
    epsilon: float
    cv: FloatArray
    test: FloatArray


@dataclass(frozen=True)
class _Trainer:
    """Everything that the fits of all species share."""

    table: AtomTable
    is_test: NDArray[np.bool_]
    split: SplitBy
    c_grid: Sequence[float]
    epsilon_grid: Sequence[float]
    n_folds: int
    tolerance: float
    max_iter: int
    seed: int

    def fit(self, k: int) -> _Fit:
        """Choose the hyperparameters of species k, fit its model and test it."""
        atoms = self.table.atoms_of(k)
        train, test = atoms[~self.is_test[atoms]], atoms[self.is_test[atoms]]
        self._check_parts(k, train.size, test.size)
        unit = self.table.sample[train] if self.split == "samples" else train
        rng = np.random.default_rng([self.seed, k, self.n_folds])
        fold = draw_folds(unit, n_folds=self.n_folds, rng=rng)
        cv = self._cross_validate(train, fold)
        best_c, best_epsilon = map(int, np.unravel_index(np.argmax(cv), cv.shape))
        epsilon = self.epsilon_grid[best_epsilon]
        models, test_r = self._scan_c(train, test, epsilon)
        return _Fit(models[best_c], self.c_grid[best_c], epsilon, cv, test_r)

    def _check_parts(self, k: int, n_train: int, n_test: int) -> None:
        smallest = 3  # of two points the correlation is always 1
        if min(n_train // self.n_folds, n_test) < smallest:
            raise StageError(
                f"there are too few atoms of {self.table.species[k]}",
                got=f"{n_train} to train on in {self.n_folds} folds, {n_test} to test on",
                expected=f"at least {smallest} in each fold and in the test part",
                remedy="use more atoms, fewer folds or another test_share",
            )

    def _cross_validate(self, train: NDArray[np.integer], fold: NDArray[np.integer]) -> FloatArray:
        shape = (self.n_folds, len(self.c_grid), len(self.epsilon_grid))
        correlation = np.empty(shape)
        for i in range(self.n_folds):
            inside, outside = train[fold != i], train[fold == i]
            for j, epsilon in enumerate(self.epsilon_grid):
                correlation[i, :, j] = self._scan_c(inside, outside, epsilon)[1]
        mean: FloatArray = correlation.mean(axis=0)
        return mean

    def _scan_c(
        self, train: NDArray[np.integer], test: NDArray[np.integer], epsilon: float
    ) -> tuple[list[FloatArray], FloatArray]:
        """Fit at every C, each from the weights of the one before, and test each."""
        x, y = self._rows(train)
        x_test, y_test = self._rows(test)
        models: list[FloatArray] = []
        for c in self.c_grid:
            start = models[-1] if models else None
            problem = L2Problem(x, tube_excess(y, epsilon), c)
            models.append(
                fit_l2(problem, tolerance=self.tolerance, max_iter=self.max_iter, start=start)
            )
        return models, np.array([_pearson(x_test @ w, y_test) for w in models])

    def _rows(self, atoms: NDArray[np.integer]) -> tuple[FloatArray, FloatArray]:
        return add_bias(self.table.features[atoms]), np.log(self.table.flexibility[atoms])


def _pearson(prediction: FloatArray, target: FloatArray) -> float:
    """Return the Pearson correlation, and refuse constants, for which there is none."""
    for name, values in (("prediction", prediction), ("ln(v_flex)", target)):
        if np.ptp(values) <= 1e-12 * np.abs(values).max():
            raise StageError(
                f"the {name} is the same for all atoms, so that nothing correlates",
                got=f"{values[0]:g} for {values.size} atoms",
                remedy="check the features, and start c_grid and epsilon_grid elsewhere",
            )
    return float(np.corrcoef(prediction, target)[0, 1])


def _coords(radial: xr.Dataset) -> dict[str, Any]:
    """Keep what names samples, atoms and features."""
    kept = {"sample", "atom", "feature"}
    return {
        str(name): coord.variable for name, coord in radial.coords.items() if kept >= {*coord.dims}
    }


def _collect(
    table: AtomTable, is_test: NDArray[np.bool_], fits: Sequence[_Fit]
) -> dict[str, NDArray[np.generic]]:
    prediction = np.empty(table.flexibility.size)
    for k, fit in enumerate(fits):
        atoms = table.atoms_of(k)
        prediction[atoms] = add_bias(table.features[atoms]) @ fit.weights
    weights = np.array([fit.weights for fit in fits])
    return {
        "structural_flexibility": prediction.reshape(table.shape),
        "log_flexibility": np.log(table.flexibility).reshape(table.shape),
        "is_test": is_test.astype(np.int8).reshape(table.shape),
        "weight": weights[:, :-1],
        "bias": weights[:, -1],
        "chosen_c": np.array([fit.c for fit in fits], dtype=np.float64),
        "chosen_epsilon": np.array([fit.epsilon for fit in fits], dtype=np.float64),
        "cv_pearson_r": np.array([fit.cv for fit in fits]),
        "test_pearson_r": np.array([fit.test for fit in fits]),
    }
