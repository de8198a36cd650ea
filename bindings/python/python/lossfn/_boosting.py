"""What the adapters of boosting libraries share: gradients, where to start, links.

Boosting adds up trees, so what it predicts for an example is any number, a raw score: of use are
losses of raw scores, such as those with `log_link` or `with_logits` in their name.
"""

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar

from lossfn._catalog import Loss, about, catalog, changed
from lossfn._catalog import loss as parsed

_OF_RAW_SCORES = {
    "binary": "binary_cross_entropy_with_logits",
    "multiclass": "softmax_cross_entropy",
}

CURVATURES = ("library", "curvature", "second")


def usable(loss):
    """A loss that predicts one number for an example, or one for each class; text names it too."""
    if isinstance(loss, str):
        loss = parsed(loss)
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a loss such as lossfn.Huber(), or its text, not {loss!r}")
    if about(loss)["form"] == "joint":
        raise ValueError(
            f"{loss.id} takes several predicted numbers for one target, which boosting has not: "
            "take a loss of one number, or of a score for each class"
        )
    if loss.settings.get("class_axis", -1) not in (-1, 1):
        raise ValueError("class_axis is the last one in boosting: leave it out")
    return loss


def of_raw_scores(loss):
    """A usable loss that is defined for every prediction."""
    loss = usable(loss)
    domain = about(loss)["prediction_domain"]
    if domain != "any number":
        linked = [loss.id + "_log_link", loss.id + "_with_logits"]
        fallback = _OF_RAW_SCORES.get(about(loss)["task"], "half_squared_error")
        better = next((id for id in linked if id in catalog), fallback)
        raise ValueError(
            f"{loss.id} takes predictions in a range ({domain}), but what is added up while "
            f"training is any number: take a loss of raw scores, such as {better}"
        )
    return loss


def is_over_classes(loss):
    return about(loss)["form"] == "class_axis"


def fitted_target(loss, target):
    """The target as the loss has it: two classes numbered 0 and 1 may be -1 and +1."""
    if about(loss)["target_domain"] == "-1 or +1":
        return np.where(target == 0, -1.0, target)
    return target


def matched(loss, prediction, target, weights):
    """Target and weights in the shapes that belong to a prediction of shape (n,) or (n, k)."""
    target = np.asarray(target)
    if not is_over_classes(loss):
        if target.size != prediction.size:
            raise ValueError(
                f"{loss.id} takes a target for each prediction: the prediction has shape "
                f"{prediction.shape}, the target {target.shape}; for scores of classes take a loss "
                "over classes, such as softmax_cross_entropy"
            )
        target = target.reshape(prediction.shape)
        if weights is not None and prediction.ndim == 2:
            weights = np.broadcast_to(np.asarray(weights).reshape(-1, 1), prediction.shape)
        return fitted_target(loss, target), weights
    if prediction.ndim != 2:
        raise ValueError(
            f"{loss.id} takes a score for each class, but the prediction has shape "
            f"{prediction.shape}: set the number of classes, or take a loss of one score, such as "
            "binary_cross_entropy_with_logits"
        )
    return (target.reshape(prediction.shape) if target.size == prediction.size else target), weights


class Adapter:
    """A loss in the shape that a library asks for."""

    data: type | tuple[()] = ()
    """The type of the library's data set with labels and weights."""

    def __init__(self, loss):
        self.loss = loss

    def examples(self, first, second, weights):
        """Prediction, target and weights, from (prediction, data set) or (target, prediction)."""
        if isinstance(second, self.data):
            prediction, target, weights = first, second.get_label(), second.get_weight()
        else:
            prediction, target = second, first
        prediction = np.asarray(prediction)
        weights = None if weights is None or len(weights) == 0 else weights
        return prediction, *matched(self.loss, prediction, target, weights)

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self):
        return hash((type(self), self.loss))

    def __repr__(self):
        options = "".join(f", {name}={value!r}" for name, value in self.options().items())
        return f"{type(self).__module__}.{type(self).__name__.lower()}({self.loss!r}{options})"

    def options(self):
        return {}


class Objective(Adapter):
    """Gradient and curvature of the loss of each example, times its weight."""

    def __init__(self, loss, curvature):
        if curvature not in CURVATURES:
            raise ValueError(f"curvature must be one of {', '.join(CURVATURES)}, not {curvature!r}")
        super().__init__(changed(of_raw_scores(loss), reduction="none"))
        self.curvature = curvature

    @staticmethod
    def factor(classes):
        """What the library's own softmax objective multiplies p (1 - p) by."""
        return 1.0

    def derivatives(self, prediction, target, weights):
        if self.curvature == "second":
            compute = self.loss.value_gradient_and_second
        else:
            compute = self.loss.value_gradient_and_curvature
        _, gradient, curvature = compute(prediction, target, weights=weights)
        if self.curvature == "library" and is_over_classes(self.loss):
            curvature *= self.factor(prediction.shape[1])
        return gradient, curvature

    def options(self):
        return {} if self.curvature == "library" else {"curvature": self.curvature}


class Metric(Adapter):
    """The cost of predictions; a loss without a reduction is averaged."""

    def __init__(self, loss, name=None):
        loss = usable(loss)
        super().__init__(changed(loss, reduction="mean") if loss.reduction == "none" else loss)
        self.__name__ = name or loss.id

    def cost(self, prediction, target, weights):
        return self.loss.value(prediction, target, weights=weights)

    def options(self):
        return {} if self.__name__ == self.loss.id else {"name": self.__name__}


# Where to start.


def best_constant(loss, target, weights=None, classes=None):
    """The raw score that has the lowest cost if it is predicted for every example.

    A float for a target of shape (n,); for a target of shape (n, k), or for a loss over classes, an
    array with a score for each column or class. Of many scores that are equally good it is the one
    in the middle; where the best is infinite, one so large that the cost is nearly the lowest.
    """
    loss = changed(of_raw_scores(loss), reduction="none")
    target = fitted_target(loss, np.asarray(target))
    if target.size == 0 or target.ndim not in (1, 2):
        raise ValueError(
            f"target must have shape (n,) or (n, k) with n above 0, not {target.shape}"
        )
    weights = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=float)
    if weights.shape != target.shape[:1]:
        raise ValueError(
            f"weights have shape {weights.shape}, the target {target.shape}: there must be a "
            "weight for each example"
        )
    if not weights.sum() > 0:
        raise ValueError("weights must have a sum above 0")
    if is_over_classes(loss):
        return _best_row(loss, target, weights, classes)
    if target.ndim == 2:
        return np.array([_best_number(loss, column, weights) for column in target.T])
    return _best_number(loss, target, weights)


def _best_number(loss, target, weights):
    # Equal targets are one with their weights added: for labels and counts little is left.
    target, index = np.unique(target.astype(float), return_inverse=True)
    weights = np.bincount(index, weights) / weights.sum()
    target, weights = target[weights > 0], weights[weights > 0]

    def cost(point):
        return float(loss.value(np.full(len(target), point), target) @ weights)

    def slopes(point):
        return loss.gradient(np.full(len(target), point), target)

    # The loss need not be convex: look everywhere first, then closely around the best.
    points = _candidates(target, weights)
    costs = np.array([cost(point) for point in points])
    points, costs = points[np.isfinite(costs)], costs[np.isfinite(costs)]
    if len(points) == 0:
        raise ValueError(f"{loss} has no finite cost at any constant prediction of this target")
    lowest = costs.min()

    def nearest_zero(ties):
        return points[ties[np.argmin(np.abs(points[ties]))]]

    rounding = 1e-12 * abs(lowest)
    ties = np.flatnonzero(costs <= lowest + rounding)
    if ties[0] == 0 or ties[-1] == len(points) - 1:
        return float(nearest_zero(np.flatnonzero(costs <= lowest + 1e-12 * max(1.0, abs(lowest)))))
    best = nearest_zero(ties)
    low, high = points[ties[0] - 1], points[ties[-1] + 1]
    # Where slopes of different signs add up to nothing but rounding, it is 0.
    zero = 1e-12 * float(np.abs(slopes(best)) @ weights)

    def crossing(level):
        closely = {"xtol": 1e-16 * max(abs(low), abs(high)), "maxiter": 1000}
        return brentq(lambda point: float(slopes(point) @ weights) - level, low, high, **closely)

    try:
        found = (crossing(-zero) + crossing(zero)) / 2
    except ValueError:
        # Slopes have one sign at both ends, as those of a loss that is not convex may.
        how = {"bounds": (low, high), "method": "bounded", "options": {"xatol": 1e-10}}
        found = minimize_scalar(cost, **how).x
    is_same = np.isclose(found, best, rtol=1e-14, atol=0)
    return float(best if is_same or cost(found) > lowest + rounding else found)


def _candidates(target, weights):
    grid = 2.0 ** np.arange(-3, 11)
    quantiles = np.quantile(target, np.linspace(0, 1, 33))
    return np.unique([*quantiles, target @ weights, 0, *grid, *-grid])


def _best_row(loss, target, weights, classes):
    if target.ndim == 1:
        labels, index = np.unique(target, return_inverse=True)
        rows, weights = labels.astype(np.int64), np.bincount(index, weights)
        if not (np.array_equal(rows, labels) and rows[0] >= 0):
            raise ValueError(f"labels must be whole numbers from 0: {labels[:5]}")
        classes = int(rows[-1]) + 1 if classes is None else classes
        if rows[-1] >= classes:
            raise ValueError(f"label {rows[-1]} is not a class: there are {classes}")
        frequency = np.zeros(classes)
        frequency[rows] = weights
    else:
        rows, classes = target, target.shape[1]
        frequency = weights @ target
    weights = weights / weights.sum()
    priors = np.log(np.maximum(frequency / frequency.sum(), 1e-15))

    def cost(row):
        everywhere = np.broadcast_to(row, (len(rows), classes))
        value, gradient = loss.value_and_gradient(everywhere, rows, weights=weights)
        return value.sum(), gradient.sum(axis=0)

    # Thresholds between classes must increase, which the last start does.
    starts = [priors, np.zeros(classes), np.linspace(-1, 1, classes)]
    start = min(starts, key=lambda row: cost(row)[0])
    found = minimize(
        cost,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-35, 35)] * classes,
        options={"ftol": 1e-15, "gtol": 1e-12, "maxiter": 1000},
    )
    return found.x if found.fun < cost(start)[0] else start


# Links.

# How the catalog writes what a raw score stands for, and the name of the link.
_LINKS = {
    "exp(prediction)": "log",
    "sigmoid(prediction)": "logit",
    "sigmoid(2 prediction)": "half_logit",
    "softmax(prediction)": "multinomial_logit",
    "softmax(prediction / temperature)": "multinomial_logit",
}


def link_name(loss):
    """The name of the link between mean or probability and raw score; None for any other."""
    text = about(loss)["link"]
    if text is None:
        return "identity"
    if loss.parameters.get("soft_cap", 0) != 0:
        return None
    return next((name for start, name in _LINKS.items() if text.startswith(start + " ")), None)


def inverse_link(loss, score):
    """The mean or the probability that raw scores stand for.

    loss: a loss of raw scores, or its text.
    score: array of shape (n,); of shape (n, k) for a loss over classes.

    Raises ``ValueError`` for a loss whose scores have another meaning.

    >>> import lossfn
    >>> inverse_link(lossfn.BinaryCrossEntropyWithLogits(), [0.0])
    array([0.5])
    """
    loss = usable(loss)
    score, name = np.asarray(score), link_name(loss)
    if name is None:
        raise ValueError(f"scores of {loss} are read otherwise: {about(loss)['link']}")
    if name == "identity":
        return score
    if name == "log":
        return np.exp(score)
    if name == "multinomial_logit":
        score = score / loss.parameters.get("temperature", 1)
        powers = np.exp(score - score.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    # By its two sides, so that nothing overflows.
    score = 2 * score if name == "half_logit" else score
    power = np.exp(-np.abs(score))
    return np.where(score < 0, power, 1) / (1 + power)
