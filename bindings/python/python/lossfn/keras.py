"""The losses for Keras 3, on its jax and torch backends: subclasses of `keras.losses.Loss`.

>>> import keras, lossfn.keras
>>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
>>> model.compile(optimizer="adam", loss=lossfn.keras.Huber(delta=1.5))
>>> round(float(lossfn.keras.Huber(delta=1.5)([3.0, -0.5, 2.0], [2.5, 0.0, 7.0])), 6)
2.208333

As in Keras a loss is called with ``(y_true, y_pred)`` and an optional ``sample_weight``, and
takes ``reduction``, ``name`` and ``dtype``. `call` gives the losses of examples, of which Keras
makes one number: a pointwise loss is averaged over the last axis; a loss of classes or of several
predicted numbers has used up that axis. Losses are saved with a model; ``import lossfn.keras``
before it is loaded.

Two sets of names:

- Every loss of `lossfn` by its own name, with its parameters and, by name, the settings of its
  axis.
- What Keras has too, by Keras' name, arguments and defaults: `MeanSquaredError`,
  `BinaryCrossentropy`, `SparseCategoricalCrossentropy` and so on. `Huber`, `LogCosh`, `Hinge`,
  `SquaredHinge` and `Poisson` are both.

They give Keras' numbers, but for what Keras adds to keep away from 0 and 1,
`keras.config.epsilon()`:

- Cross-entropies of probabilities, `BinaryFocalCrossentropy`, `KLDivergence` and `Poisson` are
  not cut off: the loss of what was predicted to be impossible is infinite, and so is its
  gradient. Take ``from_logits=True``, which has no such end.
- `MeanSquaredLogarithmicError` refuses predictions and targets below 0 instead of taking them as
  0.
- `CategoricalFocalCrossentropy` and `CategoricalGeneralizedCrossEntropy` make scores of
  probabilities, and for that move them away from 0 and 1, as Keras does the former's.
- `CategoricalHinge` is Keras' for rows of 0 and 1; of soft targets it is the expected loss of a
  class drawn from them.

Labels are whole numbers in any type; of margin losses they may be 0 and 1 or -1 and +1, as Keras'
hinge takes them. Nothing else is broadcast or converted: shapes that differ and labels that are
no class raise an error.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import ops

import lossfn
from lossfn._catalog import about, descriptions, made_of, other_name, row_axis

if keras.backend.backend() == "jax":
    from lossfn.jax import value_of
elif keras.backend.backend() == "torch":
    from lossfn import torch as _torch

    def value_of(loss, prediction, target):
        if prediction.device.type == "meta":
            # Keras asks for the shape alone.
            axis = row_axis(loss)
            return prediction if axis is None else prediction.select(axis, 0)
        return _torch.value_of(loss, prediction.cpu(), target.cpu()).to(prediction.device)

else:
    raise ImportError(
        f"lossfn.keras works with Keras' backends jax and torch, and this process has "
        f"{keras.backend.backend()!r}: set the environment variable KERAS_BACKEND to jax or torch "
        f"before keras is imported"
    )


@dataclass(frozen=True)
class _Meaning:
    """What the arguments of a class mean."""

    loss: lossfn.Loss
    prepared: Callable = lambda y_true, y_pred: (y_true, y_pred)
    """What is computed of, from the arguments of `call`."""
    finished: Callable = lambda losses, y_true, y_pred: losses
    """What is made of the losses; it has what was prepared, too."""
    mean_axis: int = -1
    """The axis that pointwise losses are averaged over."""


class Loss(keras.losses.Loss):
    """The base of all losses here; the `lossfn.Loss` that one computes is its attribute `loss`."""

    _meaning_of: Callable[..., _Meaning]
    """From the arguments, but for those that all losses of Keras have."""

    def __init__(self, *arguments, **named):
        try:
            given = inspect.signature(type(self)).bind(*arguments, **named)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        given.apply_defaults()
        given = given.arguments
        super().__init__(**{name: given.pop(name) for name in _KERAS})
        self._given = given
        self._meaning = type(self)._meaning_of(**given)

    @property
    def loss(self):
        return self._meaning.loss

    def call(self, y_true, y_pred):
        """The losses of the examples."""
        meaning = self._meaning
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        y_true, y_pred = _same_rank(meaning.loss, y_true, y_pred)
        y_true, y_pred = meaning.prepared(y_true, y_pred)
        losses = value_of(meaning.loss, y_pred, y_true)
        losses = meaning.finished(losses, y_true, y_pred)
        if row_axis(meaning.loss) is None:
            return ops.mean(losses, axis=meaning.mean_axis)
        ignored = meaning.loss.settings.get("ignored_class")
        if ignored is not None:
            # How a loss of Keras says which examples count.
            from keras.src.backend import set_keras_mask

            set_keras_mask(losses, mask=ops.not_equal(y_true, ignored))
        return losses

    def get_config(self):
        return {**super().get_config(), "dtype": self.dtype, **self._given}


def _same_rank(loss, y_true, y_pred):
    """Takes axes of size 1 as Keras does, and labels as what they are."""
    axis = row_axis(loss)
    true_rank, pred_rank = len(y_true.shape), len(y_pred.shape)
    if axis is None:
        if about(loss)["target_domain"] == "-1 or +1":
            binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
            y_true = ops.where(binary, 2 * y_true - 1, y_true)
        if true_rank == pred_rank + 1 and y_true.shape[-1] == 1:
            y_pred, y_true = _of_one_rank(y_pred, y_true)
        elif pred_rank == true_rank + 1 and y_pred.shape[-1] == 1:
            y_true, y_pred = _of_one_rank(y_true, y_pred)
        return y_true, y_pred
    labels = about(loss)["form"] == "class_axis"
    if true_rank == pred_rank and y_true.shape[axis] == 1 < (y_pred.shape[axis] if labels else 2):
        y_true, true_rank = ops.squeeze(y_true, axis), true_rank - 1
    if labels and true_rank < pred_rank:
        y_true = ops.cast(y_true, "int32")
    return y_true, y_pred


def _of_one_rank(shorter, longer):
    """Where one has another axis, of size 1, Keras drops it, but not the last that is left."""
    if len(shorter.shape) == 1:
        return ops.expand_dims(shorter, -1), longer
    return shorter, ops.squeeze(longer, -1)


def loss(text, **settings):
    """The loss that text names, for Keras.

    >>> import lossfn.keras
    >>> lossfn.keras.loss("huber(delta=1.5)", reduction="sum").get_config()["delta"]
    1.5
    """
    named = lossfn.loss(text)
    return globals()[type(named).__name__](*made_of(named)[0], **settings)


# What Keras has too: from Keras' arguments to what they mean here.


def _of_rows(axis):
    """Probabilities that are divided by their sum."""
    return lambda y_true, y_pred: (y_true, y_pred / ops.sum(y_pred, axis=axis, keepdims=True))


def _away_from_0_and_1(probabilities):
    epsilon = keras.config.epsilon()
    return ops.clip(probabilities, epsilon, 1 - epsilon)


def _scores_of_rows(axis):
    """Scores whose softmax is the probabilities."""

    def prepared(y_true, y_pred):
        _, y_pred = _of_rows(axis)(y_true, y_pred)
        return y_true, ops.log(_away_from_0_and_1(y_pred))

    return prepared


def _logarithms(y_true, y_pred):
    """A class without a share in the target adds nothing and has no slope, though its
    probability is 0."""
    counts = ops.logical_or(ops.greater(y_true, 0), ops.greater(y_pred, 0))
    return y_true, ops.log(ops.where(counts, y_pred, 1))


def _with_class_of_score_0(y_true, y_pred):
    """Keras multiplies the score of the true class by 0 and takes the maximum over all."""
    nothing = ops.zeros_like(y_pred[..., :1])
    return tuple(ops.concatenate((one, nothing), axis=-1) for one in (y_true, y_pred))


def _binary_cross_entropy(from_logits, label_smoothing, axis):
    kind = lossfn.BinaryCrossEntropyWithLogits if from_logits else lossfn.BinaryCrossEntropy
    return _Meaning(_alone(kind, label_smoothing=label_smoothing), mean_axis=axis)


def _binary_focal(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis):
    """Of soft targets Keras has another focal loss than `lossfn.SigmoidFocal`, which is linear in
    them."""

    def prepared(y_true, y_pred):
        return y_true * (1 - label_smoothing) + label_smoothing / 2, y_pred

    def finished(losses, y_true, y_pred):
        if gamma:
            one, other = y_pred, 1 - y_pred
            if from_logits:
                one, other = ops.sigmoid(y_pred), ops.sigmoid(-y_pred)
            losses = losses * (y_true * other + (1 - y_true) * one) ** gamma
        if apply_class_balancing:
            losses = losses * (y_true * alpha + (1 - y_true) * (1 - alpha))
        return losses

    kind = lossfn.BinaryCrossEntropyWithLogits if from_logits else lossfn.BinaryCrossEntropy
    return _Meaning(_alone(kind), prepared, finished, axis)


def _cross_entropy(from_logits, label_smoothing=0.0, ignore_class=None, axis=-1):
    settings = {"ignored_class": ignore_class, "class_axis": axis}
    settings["label_smoothing"] = label_smoothing
    if from_logits:
        return _Meaning(_alone(lossfn.SoftmaxCrossEntropy, **settings))
    return _Meaning(_alone(lossfn.CategoricalCrossEntropy, **settings), _of_rows(axis))


def _categorical_focal(alpha, gamma, from_logits, label_smoothing, axis):
    settings = {"gamma": gamma, "label_smoothing": label_smoothing, "class_axis": axis}
    finished = _Meaning.finished
    if isinstance(alpha, (int, float)):
        finished = _times(alpha)
    else:
        settings["class_weights"] = alpha
    prepared = _Meaning.prepared if from_logits else _scores_of_rows(axis)
    return _Meaning(_alone(lossfn.SoftmaxFocal, **settings), prepared, finished)


def _alone(kind, **arguments):
    return kind(**arguments, reduction="none")


def _times(factor):
    return lambda losses, y_true, y_pred: factor * losses


def _percentage_error():
    loss = _alone(lossfn.AbsolutePercentageError, epsilon=keras.config.epsilon())
    return _Meaning(loss, finished=_times(100.0))


_PEERS = {
    "MeanSquaredError": lambda: _Meaning(_alone(lossfn.SquaredError)),
    "MeanAbsoluteError": lambda: _Meaning(_alone(lossfn.AbsoluteError)),
    "MeanAbsolutePercentageError": _percentage_error,
    "MeanSquaredLogarithmicError": lambda: _Meaning(_alone(lossfn.SquaredLogError)),
    "CategoricalHinge": lambda: _Meaning(_alone(lossfn.CrammerSingerHinge), _with_class_of_score_0),
    "KLDivergence": lambda: _Meaning(_alone(lossfn.KullbackLeibler), _logarithms),
    "BinaryCrossentropy": _binary_cross_entropy,
    "BinaryFocalCrossentropy": _binary_focal,
    "CategoricalCrossentropy": _cross_entropy,
    "SparseCategoricalCrossentropy": _cross_entropy,
    "CategoricalFocalCrossentropy": _categorical_focal,
    "CategoricalGeneralizedCrossEntropy": lambda q: _Meaning(
        _alone(lossfn.GeneralizedCrossEntropy, q=q), _scores_of_rows(-1)
    ),
}

# The classes.

_KERAS = ("reduction", "name", "dtype")


def _of_catalog(id, kind):
    """The class of a loss of the catalog: its parameters, Keras' arguments, its settings."""
    given = inspect.signature(kind).parameters
    names = descriptions[id]["parameters"]
    parameters = [given[name] for name, *_ in names]
    settings = [
        one
        for name, one in given.items()
        if one not in parameters and name not in ("reduction", "denominator", "nothing_valid")
    ]

    def meaning(**arguments):
        return _Meaning(_alone(kind, **arguments))

    summary = kind.__doc__.partition("\n\nParameters\n")[0]
    doc = f"{summary}\n\nFor Keras, with the parameters of `lossfn.{kind.__name__}`."
    return _class(kind.__name__, parameters + _common(id) + settings, meaning, doc)


def _common(id):
    """The arguments that all losses of Keras have."""
    defaults = zip(_KERAS, ("sum_over_batch_size", id, None), strict=True)
    return [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
        for name, default in defaults
    ]


def _formula():
    """The class of losses by their formula."""
    text = inspect.Parameter("text", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    doc = "A loss of one's own by its formula in text, for Keras; see `lossfn.Formula`."
    meaning = lambda text: _Meaning(lossfn.Formula(text, reduction="none"))  # noqa: E731
    return _class("Formula", [text, *_common("formula")], meaning, doc)


def _of_keras(name, meaning):
    """The class of a loss that Keras has, with the arguments that the installed Keras gives it."""
    arguments = inspect.signature(getattr(keras.losses, name)).parameters.values()
    doc = f"`keras.losses.{name}`, computed by lossfn; the module says where numbers differ."
    return _class(name, arguments, meaning, doc)


def _class(name, arguments, meaning, doc):
    about = {
        "_meaning_of": staticmethod(meaning),
        "__signature__": inspect.Signature(arguments),
        "__module__": __name__,
        "__doc__": doc,
    }
    made = type(name, (Loss,), about)
    return keras.saving.register_keras_serializable("lossfn")(made)


_classes = [*(_of_catalog(id, kind) for id, kind in lossfn.catalog.items()), _formula()]
# Older versions of Keras lack some.
_classes += [_of_keras(name, of) for name, of in _PEERS.items() if hasattr(keras.losses, name)]
globals().update({one.__name__: one for one in _classes})
__all__ = ["Loss", "loss", *(one.__name__ for one in _classes)]


def __getattr__(name):
    raise AttributeError(f"lossfn.keras has no {name!r}{other_name(name)}")


def __dir__():
    return sorted(__all__)
