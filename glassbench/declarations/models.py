"""Variables of models that learn."""

from glassbench.declarations.declare import declare

# What was learnt
declare(
    "structural_flexibility",
    ("sample", "atom"),
    "1",
    "structural flexibility, the prediction of log_flexibility",
)
declare("log_flexibility", ("sample", "atom"), "1", "ln of the flexibility volume in angstrom^3")
declare("is_test", ("sample", "atom"), "1", "1 where the atom is held back from training", kind="i")
declare("weight", ("species", "feature"), "1", "weights of the linear model")
declare("bias", ("species",), "1", "bias of the linear model")
declare("chosen_c", ("species",), "1", "regularisation parameter C chosen by cross-validation")
declare("chosen_epsilon", ("species",), "1", "half-width of the insensitive tube chosen likewise")
declare(
    "cv_pearson_r",
    ("species", "c", "epsilon"),
    "1",
    "Pearson correlation in cross-validation inside the training part, mean over the folds",
)
declare("test_pearson_r", ("species", "c"), "1", "Pearson correlation on the test set over C")
declare("accuracy", ("species",), "1", "share of labelled atoms classified rightly when held out")
declare("accuracy_interval", ("species", "bound"), "1", "its confidence interval")
declare("accuracy_repeat", ("species", "repeat"), "1", "accuracy of each repeat")
declare("n_labelled", ("species",), "1", "number of labelled atoms, both classes", kind="i")
declare(
    "decision_value",
    ("sample", "atom"),
    "1",
    "decision value of the model that did not see the sample; NaN where it is not known",
    nan=True,
)
declare(
    "decision_value_one_model",
    ("sample", "atom"),
    "1",
    "decision value by the one model that did not see the last sample",
    nan=True,
)
declare(
    "is_trained",
    ("sample", "atom"),
    "1",
    "1 where that one model was trained on the atom",
    kind="i",
)
declare(
    "cv_accuracy",
    ("log2_c", "log2_gamma"),
    "1",
    "accuracy in cross-validation inside the training part, over all folds",
)
declare("chosen_log2_c", (), "1", "log2 of the regularisation parameter C chosen likewise")
declare("chosen_log2_gamma", (), "1", "log2 of the width parameter gamma chosen likewise")
declare("n_trained", ("sample",), "1", "atoms that the model of each test sample saw", kind="i")
declare("n_support", ("sample",), "1", "support vectors of the model of each test sample", kind="i")
declare("n_features", (), "1", "number of features that the model sees", kind="i")
declare(
    "is_judged",
    ("sample", "atom"),
    "1",
    "1 where the atom is one of those by which the model is judged",
    kind="i",
)
