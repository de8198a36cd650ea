"""Losses as objectives and metrics of LightGBM.

>>> import lossfn.lightgbm
>>> import numpy as np, lightgbm as lgb
>>> x = np.arange(200.0).reshape(-1, 1)
>>> y = x[:, 0] ** 2
>>> loss = lossfn.Huber(delta=1000.0)
>>> start = lossfn.lightgbm.init_score(loss, y)
>>> booster = lgb.train(
...     {"objective": lossfn.lightgbm.objective(loss), "verbose": -1},
...     lgb.Dataset(x, y, init_score=start),
...     num_boost_round=5,
...     feval=lossfn.lightgbm.metric(loss),
... )
>>> scores = booster.predict(x) + start[0]

What such a model predicts are raw scores, in which the starting score is not included;
`inverse_link` turns them into means or probabilities.
"""

import numpy as np
from lightgbm import Dataset

from lossfn import _boosting
from lossfn._boosting import inverse_link

__all__ = ["init_score", "inverse_link", "metric", "objective"]


# LightGBM counts the arguments, and gives weights if there are three.
class Objective(_boosting.Objective):
    data = Dataset

    @staticmethod
    def factor(classes):
        return classes / max(classes - 1, 1)

    def __call__(self, first, second, weight=None):
        return self.derivatives(*self.examples(first, second, weight))


class Metric(_boosting.Metric):
    data = Dataset

    def __call__(self, first, second, weight=None):
        return self.__name__, self.cost(*self.examples(first, second, weight)), False


def objective(loss, *, curvature="library"):
    """A loss as objective: for ``lgb.train({"objective": ...})``, ``LGBMRegressor(objective=...)``
    and ``LGBMClassifier(objective=...)``.

    loss: a loss of raw scores, or its text. A loss over classes needs ``num_class``, or the
        classifier.
    curvature: what takes the place of the second derivative. ``library`` is the loss's own
        `curvature`, which is never negative, times k / (k - 1) for a loss over k classes as
        LightGBM's softmax has it; ``curvature`` is the same as it is; ``second`` the true second
        derivative.

    Gradients are those of each example's loss times its weight; reduction and denominator of the
    loss play no part. Labels 0 and 1 are -1 and +1 to a loss of margins.

    Raises ``ValueError`` for a loss that does not take every number as prediction, or takes several
    for one target; while training, for labels that do not fit.
    """
    return Objective(loss, curvature)


def metric(loss, *, name=None):
    """A loss as metric, the lower the better: for ``lgb.train(feval=...)`` and
    ``fit(eval_metric=...)``.

    name: what it is called, the loss's id by default. Two metrics need two names.

    With `objective` it is given raw scores, with an objective of LightGBM what that predicts, such
    as probabilities.
    """
    return Metric(loss, name)


def init_score(loss, target, weights=None, *, classes=None):
    """Where to start: the ``init_score`` of a data set, the constant of lowest cost for each
    example.

    target: array of shape (n,).
    weights: array of shape (n,).
    classes: the number of classes, by default the largest label and 1.

    Gives an array of shape (n,); (n, k) for a loss over k classes. Predictions do not include it:
    add its first row. A validation set needs its first row for each example too.

    >>> init_score("absolute_error", [1.0, 2.0, 9.0])
    array([2., 2., 2.])
    """
    best = np.asarray(_boosting.best_constant(loss, target, weights, classes))
    return np.tile(best, (len(target), *[1] * best.ndim))
