"""The integrated glassy defect: a classifier of atoms that will rearrange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.cost import Cost, Params, Size
from glassbench.errors import StageError
from glassbench.learn.families import check_same_atoms, join_families
from glassbench.learn.splits import SplitBy, check_grid, draw_folds, draw_stratified_folds
from glassbench.learn.svc import Classifier, Kernel, Trainer
from glassbench.per_atom import BoolArray, read_mask
from glassbench.stage import Quantity, Split, Task, VariableOf, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]


def count_kernels(params: Params, size: Size) -> float:
    """Return the values of the kernel between training atoms, over all models that are trained.

    Training atoms are taken for a fixed share of all, and features, of which keys do not tell the
    number, for as many as in what was measured.
    """
    n_tuned = size.samples if params["tune"] == "each" else 1
    grid = len(params["log2_c_grid"]) * len(params["log2_gamma_grid"])
    rows = float(size.atoms * max(size.samples - 1, 1))
    return float(rows**2 * (n_tuned * params["n_folds"] * grid + size.samples))


@stage(
    "learn.svm",
    version=2,
    split=Split.PROTOCOL,
    cost=Cost(count_kernels),
    needs={
        "glass": ("species_index",),
        "labels": ("is_rearranged",),
        "chosen": ("is_searched", "is_drawn"),
    },
    makes=(
        "decision_value",
        "decision_value_one_model",
        "is_trained",
        "is_judged",
        "cv_accuracy",
        "chosen_log2_c",
        "chosen_log2_gamma",
        "n_trained",
        "n_support",
        "n_features",
    ),
)
def svm(
    glass: xr.Dataset,
    labels: xr.Dataset,
    chosen: xr.Dataset | None = None,
    *,
    task: Task,
    features: Annotated[dict[str, str], VariableOf()],
    log2_c_grid: list[float],
    log2_gamma_grid: list[float],
    seed: Annotated[int, Quantity(ge=0)],
    n_folds: Annotated[int, Quantity(ge=2)] = 5,
    folds_by: SplitBy = "atoms",
    tune: Literal["once", "each"] = "once",
    kernel: Kernel = "rbf",
    **families: xr.Dataset,
) -> xr.Dataset:
    """Tell atoms that rearrange from others by a support vector machine, sample by sample.

    C-support vector classification with a Gaussian kernel, Sec. II.D and Eq. 5 of Yang, Wei,
    Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), who used LIBSVM. The decision value is their
    integrated glassy defect, > 0 on the side of the rearranged atoms. A model learns
    from all rearranged atoms of all samples but one, and as many others drawn at random; where
    there are fewer others, from these and as many rearranged ones drawn at random. The paper
    leaves out its last sample only (``decision_value_one_model``); here every sample is left out
    in turn and judged by the model that did not see it (``decision_value``). The last sample has
    the same values in both.

    C and gamma are those of the highest accuracy in cross-validation inside the training part
    of the model that leaves out the last sample; of equal ones the smaller C, then the smaller
    gamma, which is the smoother model. With ``tune: once`` the other models take them over, so
    that two numbers were chosen with a look at the samples on which these are tested; the last
    sample has no part in the choice. With ``tune: each`` every model chooses its own inside its
    training part. The paper says neither how many folds it took, nor whether it standardised the
    features. Here each feature is standardised by mean and standard deviation of the training
    part, in each fold anew.

    Saddles are dear, and may have been searched around some atoms only. An atom with NaN for all
    features of a family is neither learnt from nor judged. With ``chosen`` the model learns from
    searched atoms, and ``is_judged`` marks drawn ones: rearranged atoms are all searched, so
    that among searched ones they are too many to judge by. Models of other families take the
    same ``chosen`` to learn from the same atoms.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    labels
        Holds is_rearranged (sample, atom), 0 or 1.
    chosen
        Holds is_searched and is_drawn (sample, atom), 0 or 1; without it all atoms count.
    task
        Takes the progress.
    features
        For each further input the variable that it gives, of dims sample, atom and at
        most one more; they are joined in the order of the inputs' names.
    log2_c_grid
        Values of log2 C to try, rising.
    log2_gamma_grid
        Values of log2 gamma to try, rising.
    seed
        Fixes the atoms drawn and the folds.
    n_folds
        Number of folds inside the training part.
    folds_by
        Whether single atoms are dealt into folds, each class by itself, or whole samples.
    tune
        Whether C and gamma are chosen once or by each model.
    kernel
        Gaussian (``rbf``), as in the paper, or ``linear``, whose decision value is a linear
        function of the features; gamma then has no meaning, and its grid holds one value.
    families
        Inputs that hold the features.

    Returns
    -------
    Decision values, NaN where features are not known; the mask of the atoms by which scores judge;
    that of the atoms that the model without the last sample learnt from, the accuracy of its
    cross-validation and what was chosen by it; the numbers of training atoms and support vectors
    of the model of each test sample, and of features.

    Raises
    ------
    StageError
        If there are fewer than two samples, too few atoms of either class or, by samples, a fold
        leaves one class; if a label or choice is not 0 or 1, or features are known in part.
    VariableError
        If an input or its variable is missing, or inputs do not describe the same atoms.
    """
    check_grid("log2_c_grid", log2_c_grid)
    check_grid("log2_gamma_grid", log2_gamma_grid)
    _check_kernel(kernel, log2_gamma_grid)
    is_rearranged = _read_labels(glass, labels)
    x = join_families(glass, families, features)
    may_train, is_judged = _choose_atoms(glass, chosen, np.all(np.isfinite(x), axis=-1))
    _check_counts(is_rearranged, may_train, n_folds)
    n_samples = len(x)
    n_tuned = n_samples if tune == "each" else 1
    steps = _Steps(task, n_tuned * n_folds * len(log2_gamma_grid) + n_samples)
    learner = _Learner(
        x,
        is_rearranged,
        may_train,
        log2_c_grid,
        log2_gamma_grid,
        n_folds,
        folds_by,
        seed,
        steps,
        kernel,
    )
    last = n_samples - 1
    choice = learner.tune(last)
    models: list[Classifier] = []
    for k in range(n_samples):
        own = learner.tune(k) if tune == "each" and k != last else choice
        models.append(learner.train(k, own))
    rows = [learner.draw_rows(k) for k in range(n_samples)]
    is_trained = np.zeros(is_rearranged.size, dtype=np.int8)
    is_trained[rows[last]] = 1
    return make_dataset(
        {
            "decision_value": [_decide(models[k], x[k]) for k in range(n_samples)],
            "decision_value_one_model": [_decide(models[last], atoms) for atoms in x],
            "is_trained": is_trained.reshape(is_rearranged.shape),
            "is_judged": is_judged.astype(np.int8),
            "cv_accuracy": choice.accuracy,
            "chosen_log2_c": float(choice.log2_c),
            "chosen_log2_gamma": float(choice.log2_gamma),
            "n_trained": [len(atoms) for atoms in rows],
            "n_support": [len(model.vectors) for model in models],
            "n_features": x.shape[-1],
        },
        {
            **{str(name): coord for name, coord in glass["species_index"].coords.items()},
            "log2_c": np.array(log2_c_grid, dtype=np.float64),
            "log2_gamma": np.array(log2_gamma_grid, dtype=np.float64),
        },
    )


def _check_kernel(kernel: Kernel, log2_gamma_grid: list[float]) -> None:
    if kernel == "linear" and len(log2_gamma_grid) > 1:
        raise StageError(
            "a linear kernel has no gamma to choose",
            got=f"log2_gamma_grid {log2_gamma_grid}",
            expected="one value, which is not used",
        )


def _read_labels(glass: xr.Dataset, labels: xr.Dataset) -> BoolArray:
    array = labels["is_rearranged"].transpose("sample", "atom")
    check_same_atoms(glass, "labels", array)
    values = array.to_numpy()
    if not np.isin(values, [0, 1]).all():
        raise StageError(
            "a label is neither 0 nor 1",
            got=", ".join(map(str, np.unique(values)[:5])),
            expected="is_rearranged 0 or 1",
        )
    return values.astype(bool)


def _choose_atoms(
    glass: xr.Dataset, chosen: xr.Dataset | None, is_known: BoolArray
) -> tuple[BoolArray, BoolArray]:
    """Return which atoms may be learnt from, and by which the models are judged."""
    if chosen is None:
        return is_known, is_known
    check_same_atoms(glass, "chosen", chosen["is_searched"])
    is_searched, is_drawn = (
        read_mask(chosen, "chosen", name) for name in ("is_searched", "is_drawn")
    )
    return is_known & is_searched, is_known & is_drawn


def _check_counts(is_rearranged: BoolArray, may_train: BoolArray, n_folds: int) -> None:
    """See that every training part has atoms enough of either class."""
    if len(is_rearranged) < 2:  # noqa: PLR2004  # one to learn from and one to test on
        raise StageError(
            "one sample cannot be left out of one",
            got=f"{len(is_rearranged)} samples",
            expected="at least 2",
            remedy="use more samples",
        )
    for name, members in (("rearranged", is_rearranged), ("other", ~is_rearranged)):
        per_sample = (members & may_train).sum(axis=1)
        left = per_sample.sum() - per_sample
        few = int(np.argmin(left))
        if left[few] < n_folds:
            raise StageError(
                f"too few {name} atoms to learn from in {n_folds} folds",
                got=f"{left[few]} when the sample at position {few} is left out",
                expected=f"at least {n_folds}",
                remedy="use more samples, another threshold of rearrangement or fewer folds",
            )


def _decide(model: Classifier, x: FloatArray) -> FloatArray:
    """Return the decision values of the atoms of a sample; NaN where features are not known."""
    is_known = np.isfinite(x).all(axis=-1)
    decision = np.full(len(x), np.nan)
    if is_known.any():
        decision[is_known] = model.decide(x[is_known])
    return decision


@dataclass
class _Steps:
    """Counts the steps of the work, and tells the task."""

    task: Task
    total: int
    done: int = 0

    def begin(self, text: str) -> None:
        self.task.progress(self.done / self.total, text)
        self.done += 1


@dataclass(frozen=True)
class _Choice:
    """What cross-validation has chosen, and by which accuracy."""

    log2_c: float
    log2_gamma: float
    accuracy: FloatArray


@dataclass(frozen=True)
class _Learner:
    """Everything that the models of all test samples share."""

    x: FloatArray  # (sample, atom, feature)
    is_rearranged: BoolArray  # (sample, atom)
    may_train: BoolArray  # (sample, atom)
    log2_c_grid: Sequence[float]
    log2_gamma_grid: Sequence[float]
    n_folds: int
    folds_by: SplitBy
    seed: int
    steps: _Steps
    kernel: Kernel

    def draw_rows(self, left_out: int) -> IntArray:
        """Return the training atoms of the model of one test sample, counted over all samples."""
        seen = self.may_train.copy()
        seen[left_out] = False
        classes = [np.flatnonzero(seen & (self.is_rearranged == value)) for value in (True, False)]
        size = min(atoms.size for atoms in classes)
        rng = np.random.default_rng([self.seed, left_out, 0])
        drawn = [
            atoms if atoms.size == size else rng.choice(atoms, size, replace=False)
            for atoms in classes
        ]
        return np.sort(np.concatenate(drawn))

    def train(self, left_out: int, choice: _Choice) -> Classifier:
        """Train the model of one test sample."""
        self.steps.begin(f"training without sample {left_out + 1} of {len(self.x)}")
        x, label = self._take(self.draw_rows(left_out))
        return next(Trainer(x, label, self.kernel).fit(choice.log2_gamma, [choice.log2_c]))

    def tune(self, left_out: int) -> _Choice:
        """Cross-validate inside the training part of one test sample."""
        rows = self.draw_rows(left_out)
        x, label = self._take(rows)
        fold = self._deal(rows, label, np.random.default_rng([self.seed, left_out, 1]))
        n_right = np.zeros((len(self.log2_c_grid), len(self.log2_gamma_grid)), dtype=np.int64)
        for i in range(self.n_folds):
            inside, outside = fold != i, fold == i
            trainer = Trainer(x[inside], label[inside], self.kernel)
            for j, log2_gamma in enumerate(self.log2_gamma_grid):
                self.steps.begin(f"cross-validation, fold {i + 1}, log2 gamma = {log2_gamma:g}")
                for k, model in enumerate(trainer.fit(log2_gamma, self.log2_c_grid)):
                    is_right = (model.decide(x[outside]) > 0) == (label[outside] > 0)
                    n_right[k, j] += np.count_nonzero(is_right)
        best_c, best_gamma = np.unravel_index(np.argmax(n_right), n_right.shape)
        return _Choice(
            self.log2_c_grid[int(best_c)],
            self.log2_gamma_grid[int(best_gamma)],
            n_right / label.size,
        )

    def _take(self, rows: IntArray) -> tuple[FloatArray, IntArray]:
        x = self.x.reshape(self.is_rearranged.size, -1)[rows]
        return x, np.where(self.is_rearranged.ravel()[rows], 1, -1)

    def _deal(self, rows: IntArray, label: IntArray, rng: np.random.Generator) -> IntArray:
        """Deal the training atoms into folds."""
        if self.folds_by == "atoms":
            return draw_stratified_folds(label, n_folds=self.n_folds, rng=rng)
        sample = rows // self.is_rearranged.shape[1]
        fold = draw_folds(sample, n_folds=self.n_folds, rng=rng)
        if any(np.ptp(label[fold != i]) == 0 for i in range(self.n_folds)):
            raise StageError(
                "a fold of whole samples leaves no rearranged atoms to learn from",
                got=f"rearranged atoms in {np.unique(sample[label > 0]).size} training samples",
                expected="some in two samples that come into different folds",
                remedy="use folds_by: atoms, more samples or a lower threshold of rearrangement",
            )
        return fold
