"""Losses as objectives and metrics of XGBoost.

>>> import lossfn.xgboost
>>> import numpy as np, xgboost as xgb
>>> x = np.arange(40.0).reshape(-1, 1)
>>> y = x[:, 0] ** 2
>>> loss = lossfn.Huber(delta=50.0)
>>> booster = xgb.train(
...     {"base_score": lossfn.xgboost.base_score(loss, y), "disable_default_eval_metric": True},
...     xgb.DMatrix(x, label=y),
...     num_boost_round=5,
...     obj=lossfn.xgboost.objective(loss),
...     custom_metric=lossfn.xgboost.metric(loss),
... )

What such a model predicts are raw scores, in which the starting score is included; `inverse_link`
turns them into means or probabilities.
"""

from xgboost import DMatrix

from lossfn import _boosting
from lossfn._boosting import inverse_link

__all__ = ["base_score", "inverse_link", "metric", "objective"]


class Objective(_boosting.Objective):
    data = DMatrix

    @staticmethod
    def factor(classes):
        return 2.0

    def __call__(self, first, second, sample_weight=None):
        return self.derivatives(*self.examples(first, second, sample_weight))


class Metric(_boosting.Metric):
    data = DMatrix

    def __call__(self, first, second, sample_weight=None):
        value = self.cost(*self.examples(first, second, sample_weight))
        return (self.__name__, value) if isinstance(second, DMatrix) else value


def objective(loss, *, curvature="library"):
    """A loss as objective: for ``xgb.train(obj=...)`` and for ``XGBRegressor(objective=...)``.

    loss: a loss of raw scores, or its text. A loss over classes needs ``num_class``, or the
        classifier; any other may have several targets.
    curvature: what takes the place of the second derivative. ``library`` is the loss's own
        `curvature`, which is never negative, doubled for a loss over classes as XGBoost's softmax
        has it; ``curvature`` is the same as it is; ``second`` the true second derivative.

    Gradients are those of each example's loss times its weight; reduction and denominator of the
    loss play no part. Labels 0 and 1 are -1 and +1 to a loss of margins.

    Raises ``ValueError`` for a loss that does not take every number as prediction, or takes several
    for one target; while training, for labels that do not fit.
    """
    return Objective(loss, curvature)


def metric(loss, *, name=None):
    """A loss as metric, the lower the better: for ``xgb.train(custom_metric=...)`` and for
    ``XGBRegressor(eval_metric=...)``.

    name: what it is called, the loss's id by default. Two metrics need two names.

    With `objective` it is given raw scores, with an objective of XGBoost what that predicts, such
    as probabilities.
    """
    return Metric(loss, name)


def base_score(loss, target, weights=None, *, classes=None):
    """Where to start: the parameter ``base_score``, the constant of lowest cost.

    target: array of shape (n,), or (n, k) of several targets.
    weights: array of shape (n,).
    classes: the number of classes, by default the largest label and 1.

    Gives a number; a list for several targets or a loss over classes.

    ``XGBClassifier`` with two classes reads scores by a sigmoid and takes a probability here:
    ``1 / (1 + exp(-base_score(...)))``.

    >>> base_score("absolute_error", [1.0, 2.0, 9.0])
    2.0
    """
    best = _boosting.best_constant(loss, target, weights, classes)
    return best if isinstance(best, float) else best.tolist()
