"""How well a classifier tells the atoms that rearrange from all others."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.per_atom import read_chosen, read_classes
from glassbench.scores.intervals import mean_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_LOWEST = {  # the least that a score can be; the most is 1
    "classifier_accuracy": 0.0,
    "classifier_recall": 0.0,
    "classifier_precision": 0.0,
    "balanced_accuracy": 0.0,
    "average_precision": 0.0,
    "matthews_correlation": -1.0,
    "roc_auc": 0.0,
    "prevalence": 0.0,
}


@stage(
    "scores.classification",
    version=1,
    split=Split.PROTOCOL,
    needs={"decision": ("decision_value",), "labels": ("is_rearranged",)},
    makes=tuple(f"{name}{kind}" for name in _LOWEST for kind in ("", "_interval", "_sample")),
)
def classification(
    decision: xr.Dataset,
    labels: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Score the prediction of rearranged atoms, each glass by the model that did not see it.

    As in Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), III.B: an atom is
    predicted to rearrange where its decision value is positive; accuracy is taken over all atoms
    of a glass, recall over those that rearranged. The paper tests one glass. Here every score is
    taken in each glass and then averaged.

    With one atom in twenty rearranged, a classifier that predicts none has an accuracy of 0.95,
    as the paper says itself (III.D). So precision, balanced accuracy, average precision, Matthews
    correlation and ROC AUC are given too; chance has 0.5 of balanced accuracy and ROC AUC, the
    prevalence of precision and average precision, and 0 of the Matthews correlation.

    The interval of a mean is Student's t over samples on the logit scale, see `mean_interval`.
    The models share most of their training atoms, which moves them together; this the
    interval leaves out.

    Parameters
    ----------
    decision
        Holds decision_value (sample, atom).
    labels
        Holds is_rearranged (sample, atom).
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Each score, its interval and its value by sample. By sample it is NaN where it is undefined,
    and such samples are left out of the mean: precision where no atom is predicted; recall,
    balanced accuracy, average precision, Matthews correlation and ROC AUC where no atom has
    rearranged, or all have. The interval is NaN where fewer than two samples are left. The
    Matthews correlation of a constant prediction is 0.

    Raises
    ------
    VariableError
        If an input does not hold its variable per sample and atom, or they differ in shape.
    StageError
        If a decision value is not finite, a label neither 0 nor 1, no atom has rearranged, or no
        atom of a sample counts.
    """
    values, chosen = read_chosen(decision, "decision", "decision_value", among, among_variable)
    is_rearranged = read_classes(chosen, labels)
    rows = [
        score_atoms(value[some], label[some])
        for value, label, some in zip(values, is_rearranged, chosen, strict=True)
    ]
    made: dict[str, float | FloatArray] = {}
    for name, lowest in _LOWEST.items():
        by_sample = np.array([row[name] for row in rows])
        defined = by_sample[np.isfinite(by_sample)]
        made[name] = float(defined.mean()) if defined.size else float("nan")
        made[f"{name}_interval"] = mean_interval(defined, confidence, low=lowest)
        made[f"{name}_sample"] = by_sample
    return make_dataset(made, {"sample": decision["sample"].values, "bound": ["low", "high"]})


def score_atoms(decision: FloatArray, is_rearranged: BoolArray) -> dict[str, float]:
    """Score the prediction of the rearranged atoms of one sample.

    Parameters
    ----------
    decision
        Decision value of each atom, positive where it is predicted, shape (n,).
    is_rearranged
        Which atoms have rearranged, shape (n,).

    Returns
    -------
    The scores by name; NaN where undefined.
    """
    from sklearn import metrics  # noqa: PLC0415  # a second to import

    is_active = decision > 0
    n_active, n_rearranged = np.count_nonzero(is_active), np.count_nonzero(is_rearranged)
    n_hits = np.count_nonzero(is_active & is_rearranged)
    scores = dict.fromkeys(_LOWEST, float("nan")) | {
        "classifier_accuracy": float(np.mean(is_active == is_rearranged)),
        "prevalence": n_rearranged / decision.size,
    }
    if n_active:
        scores["classifier_precision"] = n_hits / n_active
    if 0 < n_rearranged < decision.size:
        recall = n_hits / n_rearranged
        false_alarms = (n_active - n_hits) / (decision.size - n_rearranged)
        scores |= {
            "classifier_recall": recall,
            "balanced_accuracy": (recall + 1 - false_alarms) / 2,
            "average_precision": float(metrics.average_precision_score(is_rearranged, decision)),
            "matthews_correlation": float(metrics.matthews_corrcoef(is_rearranged, is_active)),
            "roc_auc": float(metrics.roc_auc_score(is_rearranged, decision)),
        }
    return scores
