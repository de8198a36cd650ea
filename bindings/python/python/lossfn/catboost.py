"""Losses as objectives and metrics of CatBoost.

>>> import lossfn.catboost
>>> import numpy as np
>>> from catboost import CatBoost, Pool
>>> x = np.arange(40.0).reshape(-1, 1)
>>> y = x[:, 0] ** 2
>>> loss = lossfn.Huber(delta=50.0)
>>> start = lossfn.catboost.baseline(loss, y)
>>> model = CatBoost({
...     "loss_function": lossfn.catboost.objective(loss),
...     "eval_metric": lossfn.catboost.metric(loss),
...     "leaf_estimation_method": "Newton",
...     "iterations": 5, "verbose": False, "allow_writing_files": False,
... }).fit(Pool(x, y, baseline=start))
>>> model.set_scale_and_bias(1.0, start[0])

What such a model predicts (`RawFormulaVal`) are raw scores, in which the baseline is included only
if the model is told it, as in the last line; `inverse_link` turns them into means or probabilities.
"""

import numpy as np

from lossfn import Cost, _boosting
from lossfn._boosting import inverse_link

__all__ = ["baseline", "inverse_link", "metric", "objective"]


class Objective(_boosting.Objective):
    # There is nothing in Python to compile.
    no_jit = True

    def calc_ders_range(self, approxes, targets, weights):
        """Of many examples the negated gradient and curvature: shape (n, 2)."""
        approxes = np.asarray(approxes)
        target, weights = _boosting.matched(self.loss, approxes, targets, weights)
        return -np.stack(self.derivatives(approxes, target, weights), axis=1)

    def calc_ders_multi(self, approxes, target, weight):
        """Of one example the negated gradient, (k,), and matrix of second derivatives, (k, k)."""
        row = np.asarray(approxes)[None]
        if not _boosting.is_over_classes(self.loss):
            raise ValueError(
                f"{self.loss.id} takes one score, and there is one for each of {row.size} classes: "
                "take a loss over classes, such as softmax_cross_entropy"
            )
        gradient, curvature = self.derivatives(row, [target], [weight])
        return -gradient[0], -self.matrix(row, target, weight, curvature[0])

    def matrix(self, row, target, weight, curvature):
        """All second derivatives of a row where they are known, else the curvature of classes."""
        if self.curvature == "curvature":
            return np.diag(curvature)
        classes = row.size
        rows = np.broadcast_to(row, (classes, classes))
        labels, weights = np.full(classes, target), np.full(classes, weight)
        product = self.loss.hessian_vector_product
        try:
            matrix = product(rows, labels, np.eye(classes), weights=weights)
        except ValueError:
            return np.diag(curvature)
        if self.curvature == "library":
            # What bends downwards is no help to Newton's method.
            values, vectors = np.linalg.eigh(matrix)
            matrix = vectors * np.maximum(values, 0) @ vectors.T
        return matrix


class Metric(_boosting.Metric):
    no_jit = True

    def evaluate(self, approxes, target, weight):
        """The sum of the losses and the sum of the weights."""
        prediction = np.stack(approxes, axis=1) if len(approxes) > 1 else np.asarray(approxes[0])
        cost = Cost(self.loss)
        cost.update(prediction, *_boosting.matched(self.loss, prediction, target, weight))
        return cost.sum, cost.weights

    def get_final_error(self, error, weight):
        return error if self.loss.reduction == "sum" else error / (weight or 1.0)

    def is_max_optimal(self):
        return False


def objective(loss, *, curvature="library"):
    """A loss as ``loss_function``, with an ``eval_metric`` beside it.

    loss: a loss of raw scores, or its text. A loss over classes needs ``CatBoostClassifier`` with
        ``classes_count``.
    curvature: what takes the place of the second derivatives. ``library`` is the loss's own
        `curvature`, which is never negative; for a loss over classes the matrix of all second
        derivatives without what bends downwards, or the curvature of each class where that matrix
        is not known. ``curvature`` is never the matrix; ``second`` has true second derivatives.

    It counts with ``leaf_estimation_method="Newton"``. CatBoost's own objectives make more than one
    step for each leaf: compare with the same ``leaf_estimation_iterations``.

    Derivatives are those of each example's loss times its weight; reduction and denominator of the
    loss play no part. Labels 0 and 1 are -1 and +1 to a loss of margins. Losses over classes are
    slow, since CatBoost asks for one example at a time.

    Raises ``ValueError`` for a loss that does not take every number as prediction, or takes several
    for one target; while training a ``CatBoostError`` says what labels do not fit.
    """
    return Objective(loss, curvature)


def metric(loss, *, name=None):
    """A loss as ``eval_metric``, the lower the better, of raw scores: the mean by weights, or the
    sum for a loss with that reduction.

    name: what it is called, the loss's id by default.
    """
    return Metric(loss, name)


def baseline(loss, target, weights=None, *, classes=None):
    """Where to start: the ``baseline`` of a ``Pool``, the constant of lowest cost for each example.

    target: array of shape (n,).
    weights: array of shape (n,).
    classes: the number of classes, by default the largest label and 1.

    Gives an array of shape (n,); (n, k) for a loss over k classes. Predictions do not include it,
    unless ``model.set_scale_and_bias(1.0, ...)`` is told its first row.

    >>> baseline("absolute_error", [1.0, 2.0, 9.0])
    array([2., 2., 2.])
    """
    best = np.asarray(_boosting.best_constant(loss, target, weights, classes))
    return np.tile(best, (len(target), *[1] * best.ndim))
