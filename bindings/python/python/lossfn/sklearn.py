"""Losses as scorers of scikit-learn, and as the losses that its estimators are fitted with.

>>> import lossfn.sklearn
>>> from sklearn.datasets import load_diabetes
>>> from sklearn.ensemble import HistGradientBoostingRegressor
>>> from sklearn.model_selection import cross_val_score
>>> x, y = load_diabetes(return_X_y=True)
>>> loss = lossfn.sklearn.base_loss("huber(delta=30)")
>>> model = HistGradientBoostingRegressor(loss=loss, max_iter=10)
>>> scores = cross_val_score(model, x, y, scoring=lossfn.sklearn.scorer("absolute_error"), cv=3)
>>> bool((scores < 0).all())
True
"""

import numpy as np
from sklearn._loss.link import _LINKS, Interval, MultinomialLogit
from sklearn._loss.loss import BaseLoss as _BaseLoss
from sklearn.metrics._scorer import _BaseScorer

from lossfn import _boosting
from lossfn._catalog import Loss, changed
from lossfn._catalog import loss as parsed

__all__ = ["BaseLoss", "Scorer", "base_loss", "scorer"]

_RESPONSES = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class Scorer(_BaseScorer):
    """The negated cost of an estimator's predictions; see `scorer`."""

    def __init__(self, loss, response):
        super().__init__(self._cost, -1, {}, response)
        self.loss = loss

    def _cost(self, y_true, y_pred, sample_weight=None):
        return self.loss.value(y_pred, y_true, weights=sample_weight)

    def _score(self, method_caller, estimator, X, y_true, sample_weight=None):
        name, response = type(estimator).__name__, self._response_method
        if not hasattr(estimator, response):
            raise ValueError(
                f"{name} has no {response}, which {self.loss.id} needs: take a loss of what it "
                "predicts, or say response="
            )
        prediction = np.asarray(getattr(estimator, response)(X))
        target = np.asarray(y_true)
        classes = getattr(estimator, "classes_", None)
        if classes is not None and target.ndim == 1:
            target = _numbered(target, classes)
            if not _boosting.is_over_classes(self.loss):
                if len(classes) != 2:
                    raise ValueError(
                        f"{self.loss.id} is for two classes, and {name} has {len(classes)}: take a "
                        "loss over classes, such as softmax_cross_entropy"
                    )
                prediction = prediction[:, 1] if prediction.ndim == 2 else prediction
                target = _boosting.fitted_target(self.loss, target)
            elif prediction.ndim == 1:
                raise ValueError(
                    f"{self.loss.id} takes a score for each class, and {response} of {name} has "
                    f"shape {prediction.shape}: take a loss for two classes, such as "
                    "binary_cross_entropy_with_logits"
                )
        return -self._cost(target, prediction, sample_weight)

    def __repr__(self):
        return f"lossfn.sklearn.scorer({self.loss!r}, response={self._response_method!r})"

    def __eq__(self, other):
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self):
        return hash((self.loss, self._response_method))


def _numbered(target, classes):
    numbers = np.minimum(np.searchsorted(classes, target), len(classes) - 1)
    unknown = classes[numbers] != target
    if unknown.any():
        raise ValueError(f"label {target[unknown][0]!r} is not one of the classes {list(classes)}")
    return numbers


def scorer(loss, *, response=None):
    """A scorer for ``cross_val_score``, ``GridSearchCV(scoring=...)`` and the like: the negated
    cost, so that greater is better.

    loss: a loss or its text; one without a reduction is averaged.
    response: the method of the estimator that predicts what the loss takes. By default
        ``predict_proba`` for a loss of probabilities, ``predict_log_proba`` for one of their
        logarithms, ``decision_function`` for one of raw scores of classes, and ``predict`` for
        others. What ``predict`` gives is taken as it is: for an estimator that predicts means take
        a loss of means, such as poisson, not poisson_log_link.

    Labels may be anything: they are numbered as in the estimator's ``classes_``.

    Raises ``ValueError`` for an unknown response; while scoring, for an estimator without that
    method and for classes that do not fit.
    """
    loss = parsed(loss) if isinstance(loss, str) else loss
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a loss such as lossfn.Huber(), or its text, not {loss!r}")
    if loss.reduction == "none":
        loss = changed(loss, reduction="mean")
    if response is None:
        response = _response(_boosting.about(loss))
    elif response not in _RESPONSES:
        raise ValueError(f"response must be one of {', '.join(_RESPONSES)}, not {response!r}")
    return Scorer(loss, response)


def _response(about):
    if about["task"] not in ("binary", "multiclass"):
        return "predict"
    domains = {"0 to 1": "predict_proba", "the logarithm of a probability": "predict_log_proba"}
    return domains.get(about["prediction_domain"], "decision_function")


class _Kernels:
    """Computes what scikit-learn's compiled losses compute, under their names."""

    def __init__(self, loss, curvature):
        self.of_losses = changed(loss, reduction="none")
        self.curvature = curvature

    def _examples(self, y_true, raw_prediction, sample_weight):
        matched = _boosting.matched(self.of_losses, raw_prediction, y_true, sample_weight)
        return raw_prediction, *matched

    def loss(self, y_true, raw_prediction, sample_weight, loss_out, n_threads=1):
        prediction, target, weights = self._examples(y_true, raw_prediction, sample_weight)
        self.of_losses.value(prediction, target, weights=weights, out=loss_out)
        return loss_out

    def gradient(self, y_true, raw_prediction, sample_weight, gradient_out, n_threads=1):
        prediction, target, weights = self._examples(y_true, raw_prediction, sample_weight)
        self.of_losses.gradient(prediction, target, weights=weights, out=gradient_out)
        return gradient_out

    def loss_gradient(
        self, y_true, raw_prediction, sample_weight, loss_out, gradient_out, n_threads=1
    ):
        prediction, target, weights = self._examples(y_true, raw_prediction, sample_weight)
        compute = self.of_losses.value_and_gradient
        loss_out[...], _ = compute(prediction, target, weights=weights, out=gradient_out)
        return loss_out, gradient_out

    def gradient_hessian(
        self, y_true, raw_prediction, sample_weight, gradient_out, hessian_out, n_threads=1
    ):
        prediction, target, weights = self._examples(y_true, raw_prediction, sample_weight)
        if self.curvature == "second":
            compute = self.of_losses.value_gradient_and_second
        else:
            compute = self.of_losses.value_gradient_and_curvature
        compute(prediction, target, weights=weights, out=(gradient_out, hessian_out))
        return gradient_out, hessian_out


class _ScaledMultinomialLogit(MultinomialLogit):
    """The multinomial logit of scores that are divided by a temperature."""

    def __init__(self, temperature):
        self.temperature = temperature

    def link(self, y_pred):
        return super().link(y_pred) * self.temperature

    def inverse(self, raw_prediction):
        return super().inverse(raw_prediction / self.temperature)


def _link(loss):
    name = _boosting.link_name(loss)
    if name == "multinomial_logit":
        return _ScaledMultinomialLogit(loss.parameters.get("temperature", 1.0))
    return _LINKS[name or "identity"]()


_INTERVALS = {
    "any number": (-np.inf, np.inf, False, False),
    "0 or more": (0, np.inf, True, False),
    "above 0": (0, np.inf, False, False),
    "0 to 1": (0, 1, True, True),
    # As estimators number two classes.
    "-1 or +1": (0, 1, True, True),
}


class BaseLoss(_BaseLoss):
    """A loss in the manner of scikit-learn's own, which have a base of this name; see
    `base_loss`."""

    def __init__(self, loss, *, n_classes=None, curvature="curvature"):
        loss = _boosting.of_raw_scores(loss)
        if curvature not in ("curvature", "second"):
            raise ValueError(f"curvature must be curvature or second, not {curvature!r}")
        about = _boosting.about(loss)
        self.is_multiclass = _boosting.is_over_classes(loss)
        if self.is_multiclass and n_classes is None:
            raise ValueError(f"{loss.id} is over classes: say n_classes=")
        if not self.is_multiclass:
            if n_classes not in (None, 2):
                raise ValueError(
                    f"{loss.id} takes one score, and n_classes is {n_classes}: take a loss over "
                    "classes, such as softmax_cross_entropy"
                )
            n_classes = 2 if about["task"] == "binary" else n_classes
        super().__init__(_Kernels(loss, curvature), _link(loss), n_classes)
        self.wrapped = loss
        is_other = not loss.curvature_meaning.startswith("the second derivative")
        self.approx_hessian = curvature == "curvature" and is_other
        has_kinks = loss.card["differentiable"].holds is False
        self.differentiable = not (has_kinks and _is_of_residuals(loss))
        self.interval_y_true = Interval(*_INTERVALS[about["target_domain"]])

    def fit_intercept_only(self, y_true, sample_weight=None):
        """The raw prediction of lowest cost if it is that of every example."""
        best = _boosting.best_constant(self.wrapped, y_true, sample_weight, self.n_classes)
        return np.asarray(best, dtype=np.asarray(y_true).dtype)[()]

    def constant_to_optimal_zero(self, y_true, sample_weight=None):
        """What added to the loss of each example makes perfect predictions cost nothing."""
        y_true = np.asarray(y_true)
        about = _boosting.about(self.wrapped)
        if self.is_multiclass or about["target_domain"] == "-1 or +1":
            return np.zeros_like(y_true)
        # At the border a perfect raw prediction is infinite.
        y_pred = y_true if self.interval_y_pred.low == -np.inf else np.maximum(y_true, 1e-300)
        y_pred = np.minimum(y_pred, 1 - 2**-53) if self.interval_y_pred.high == 1 else y_pred
        return -self.loss(y_true, self.link.link(y_pred), sample_weight)

    def predict_proba(self, raw_prediction):
        """The probability of each class, (n, k), from raw predictions, (n,) or (n, k)."""
        name = _boosting.link_name(self.wrapped)
        if name == "multinomial_logit":
            return self.link.inverse(raw_prediction)
        if name not in ("logit", "half_logit"):
            raise ValueError(
                f"scores of {self.wrapped} do not stand for probabilities: use decision_function"
            )
        positive = self.link.inverse(raw_prediction.reshape(-1))
        return np.stack([1 - positive, positive], axis=1)

    def gradient_proba(
        self,
        y_true,
        raw_prediction,
        sample_weight=None,
        gradient_out=None,
        proba_out=None,
        n_threads=1,
    ):
        """The gradient, and the probability of each class, which linear models make a matrix of."""
        gradient = self.gradient(y_true, raw_prediction, sample_weight, gradient_out, n_threads)
        probabilities = self.predict_proba(raw_prediction)
        if proba_out is None:
            return gradient, probabilities
        proba_out[...] = probabilities
        return gradient, proba_out

    def __repr__(self):
        return f"lossfn.sklearn.base_loss({self.wrapped!r})"


def _is_of_residuals(loss):
    """Whether moving prediction and target together changes nothing, tried at a few points."""
    about = _boosting.about(loss)
    if about["form"] != "pointwise" or about["target_domain"] != "any number":
        return False
    losses = changed(loss, reduction="none")
    target = np.array([0.0, 1.0, -2.0, 0.5])
    prediction = target + np.array([0.75, -3.0, 0.25, 8.0])
    return all(
        np.allclose(losses(prediction + by, target + by), losses(prediction, target), rtol=1e-9)
        for by in (0.5, -4.0, 16.0)
    )


def base_loss(loss, *, n_classes=None, curvature="curvature"):
    """A loss that scikit-learn's estimators are fitted with: for
    ``HistGradientBoostingRegressor(loss=...)`` and ``HistGradientBoostingClassifier(loss=...)``,
    and for what takes a ``sklearn._loss.loss.BaseLoss``, such as ``LinearModelLoss``. These classes
    are no public interface of scikit-learn.

    loss: a loss of raw scores, or its text; its reduction plays no part.
    n_classes: the number of classes, for a loss over classes.
    curvature: what ``gradient_hessian`` gives: ``curvature``, which is never negative, or
        ``second``, the true second derivative.

    Labels 0 and 1 are -1 and +1 to a loss of margins. Leaves of trees are fitted to the lowest cost
    for losses of residuals with a kink, as scikit-learn does for absolute errors and quantiles.

    Raises ``ValueError`` for a loss that does not take every number as prediction, or takes several
    for one target, and for a number of classes that does not fit.
    """
    return BaseLoss(loss, n_classes=n_classes, curvature=curvature)
