"""What is wrong is told: which argument, what it is, what it must be, and what to do."""

import re

import numpy as np
import pytest

import lossfn

P, Y, ROWS = np.ones((2, 3)), np.zeros((2, 3)), np.zeros((4, 5))
HUBER, SOFTMAX, GAUSSIAN = lossfn.Huber(), lossfn.SoftmaxCrossEntropy(), lossfn.GaussianNll()
LABELS, PAIRS = np.zeros(4, int), np.ones((4, 2))

# Who is called, with what, and what the message has to say: the argument, both shapes and the fix.
SHAPES = {
    "target": (HUBER, (P, Y[0]), {}, ["target", "3", "2, 3", "broadcast|reshape|agree"]),
    "target turned": (HUBER, (P, Y.T), {}, ["target", "3, 2", "2, 3", "broadcast|reshape|agree"]),
    "target without axes": (HUBER, (P, 0.0), {}, ["target", r"\[\]|\(\)", "2, 3"]),
    "prediction without axes": (HUBER, (0.0, Y), {}, ["target", "2, 3", r"\[\]|\(\)"]),
    "an axis more": (HUBER, (P, Y[None]), {}, ["target", "1, 2, 3", "2, 3"]),
    "a column": (HUBER, (P[:, :1], Y[:, 0]), {}, ["target", "2", "2, 1"]),
    "weights": (HUBER, (P, Y), {"weights": [1.0, 2.0]}, ["weights", "2", "2, 3"]),
    "weight": (HUBER, (P, Y), {"weights": 2.0}, ["weights", r"\[\]|\(\)", "2, 3"]),
    "mask": (HUBER, (P, Y), {"mask": [[True] * 3]}, ["mask", "1, 3", "2, 3"]),
    "labels": (SOFTMAX, (ROWS, LABELS[:3]), {}, ["target", "3", "4"]),
    "labels with an axis": (SOFTMAX, (ROWS, LABELS[:, None]), {}, ["target", "4, 1", "4, 5"]),
    "distributions": (SOFTMAX, (ROWS, ROWS[:, :4]), {}, ["target", "4, 4", "4, 5"]),
    "weights of rows": (SOFTMAX, (ROWS, LABELS), {"weights": ROWS}, ["weights", "4, 5", "4"]),
    "no axis of classes": (SOFTMAX, (1.0, 0), {}, ["axis", r"\[\]|\(\)", "-1"]),
    "no classes": (SOFTMAX, (ROWS[:, :0], LABELS), {}, ["classes", "4, 0"]),
    "wrong axis": (
        lossfn.SoftmaxCrossEntropy(class_axis=2),
        (ROWS, LABELS),
        {},
        ["axis", "4, 5", "2"],
    ),
    "class weights": (
        lossfn.SoftmaxCrossEntropy(class_weights=[1, 2]),
        (ROWS, LABELS),
        {},
        ["class.weights", "2", "5"],
    ),
    "components": (GAUSSIAN, (ROWS, LABELS), {}, ["gaussian_nll", "mean, variance", "2", "5"]),
    "target of rows": (GAUSSIAN, (PAIRS, PAIRS), {}, ["target", "4, 2", "4"]),
    "no quantiles": (lossfn.MultiQuantile(), (ROWS[:, :0], np.zeros(4)), {}, ["4, 0"]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_wrong_shapes(name):
    loss, arguments, options, said = SHAPES[name]
    for call in (
        loss.value,
        loss.gradient,
        loss.value_gradient_and_curvature,
        lossfn.Cost(loss).update,
    ):
        with pytest.raises(ValueError) as caught:
            call(*arguments, **options)
        for words in said:
            assert re.search(rf"(?<!\w)({words})(?!\w)", str(caught.value)), (
                words,
                str(caught.value),
            )


NUMBERS = {
    "label too large": (SOFTMAX, (ROWS, [0, 5, 0, 0]), {}, "label 5 at position 1.*0 to 4"),
    "label below 0": (SOFTMAX, (ROWS, [0, 0, 0, -1]), {}, "label -1 at position 3.*0 to 4"),
    "label between": (SOFTMAX, (ROWS, [0.5, 0, 0, 0]), {}, "label 0.5 at position 0"),
    "label NaN": (SOFTMAX, (ROWS, [0, 0, np.nan, 0]), {}, "label NaN at position 2"),
    "target below 0": (
        SOFTMAX,
        (ROWS, ROWS - 1),
        {},
        "target -1 .*softmax_cross_entropy: 0 or more",
    ),
    "target no sign": (
        lossfn.Hinge(),
        ([1, 1], [1, 0]),
        {},
        "target 0 at position 1 .*hinge: -1 or \\+1",
    ),
    "no probability": (
        lossfn.Brier(),
        ([0.5, 1.5], [0, 1]),
        {},
        "prediction 1.5 at position 1 .*0 to 1",
    ),
    "no variance": (GAUSSIAN, (PAIRS * [1, -1], LABELS), {}, "variance -1 at position 0 .*above 0"),
    "weight": (HUBER, (P, Y), {"weights": -P}, "weight -1 at position 0 .*0 or more"),
    "infinite weight": (HUBER, (P, Y), {"weights": P * np.inf}, "weight inf at position 0"),
    "mask": (HUBER, (P, Y), {"mask": P * np.nan}, "mask NaN at position 0"),
    "nothing": (HUBER, (P, Y), {"mask": P < 0}, "no example.*nothing_valid"),
    "weights of 0": (HUBER, (P, Y), {"weights": Y}, "no example.*nothing_valid"),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_wrong_numbers(name):
    loss, arguments, options, said = NUMBERS[name]
    for call in (loss.value, loss.gradient, loss.value_gradient_and_second):
        with pytest.raises(ValueError, match=said):
            call(*arguments, **options)


def test_positions_are_those_of_the_examples():
    labels = np.zeros((40, 50), int)
    labels[31, 7] = 9
    with pytest.raises(ValueError, match=f"label 9 at position {31 * 50 + 7}"):
        SOFTMAX.value(np.zeros((40, 50, 9)), labels)
    target = np.ones((400, 500))
    target[333, 3] = 0
    with pytest.raises(ValueError, match=f"target 0 at position {333 * 500 + 3}"):
        lossfn.hinge(target, target.T.copy().T)


@pytest.mark.parametrize("id", lossfn.catalog)
def test_parameters_outside_their_range(id):
    cls, parameters = lossfn.catalog[id], lossfn.catalog[id]().parameters
    for name in parameters:
        with pytest.raises(ValueError, match=rf"{id}: {name} = NaN is outside its range"):
            cls(**{name: np.nan})
        for junk in ("1", None, [1.0], 1j, object()):
            with pytest.raises(TypeError, match=f"{name} must be a number, not "):
                cls(**{name: junk})
            with pytest.raises(TypeError, match=f"{name} must be a number, not "):
                getattr(lossfn, id)(1.0, 1.0, **{name: junk})
    with pytest.raises(TypeError, match="no_such_parameter"):
        cls(no_such_parameter=1.0)
    with pytest.raises(TypeError):
        cls(*parameters.values(), 1.0)


SETTINGS = [
    ({"reduction": "median"}, ValueError, '"median" is no reduction: it is mean, sum'),
    ({"reduction": 1}, TypeError, "reduction must be a name in quotes, not 1"),
    ({"reduction": "\udc80"}, ValueError, "reduction"),
    ({"denominator": "all"}, ValueError, '"all" is no denominator: it is weights, valid, examples'),
    ({"denominator": 0}, ValueError, "denominator.* 0; .*above 0"),
    ({"denominator": -1.0}, ValueError, "denominator.* -1; .*above 0"),
    ({"denominator": np.nan}, ValueError, "denominator.* NaN; .*above 0"),
    ({"denominator": np.inf}, ValueError, "denominator.* inf; .*above 0"),
    ({"denominator": [1.0]}, TypeError, "denominator must be "),
    ({"nothing_valid": "0"}, ValueError, '"0" is no .*error, nan'),
    ({"nothing_valid": 0}, TypeError, "nothing_valid must be a name in quotes, not 0"),
    ({"class_axis": 1.5}, TypeError, "class_axis must be a whole number, not 1.5"),
    ({"class_axis": "1"}, TypeError, "class_axis must be a whole number, not"),
    ({"class_axis": 2**70}, (TypeError, ValueError), "class_axis"),
    ({"ignored_class": 1.5}, TypeError, "ignored_class must be a whole number, not 1.5"),
    ({"ignored_class": "1"}, TypeError, "ignored_class must be a whole number, not"),
    ({"class_weights": 1.0}, ValueError, "class_weights has "),
    ({"class_weights": "12"}, TypeError, "class_weights has "),
    ({"class_weights": ["a"]}, TypeError, "class_weights has "),
    ({"class_weights": {0: 1.0, 1: 2.0}}, TypeError, "class_weights has "),
    ({"class_weights": np.ones((2, 2))}, ValueError, "class_weights has "),
    ({"class_weights": [1.0, -1.0]}, ValueError, "class weight -1 at position 1 .*0 or more"),
    ({"class_weights": [np.nan]}, ValueError, "class weight NaN at position 0"),
]


@pytest.mark.parametrize("settings, error, said", SETTINGS, ids=lambda one: str(one)[:40])
def test_wrong_settings(settings, error, said):
    with pytest.raises(error, match=said):
        lossfn.SoftmaxCrossEntropy(**settings)
    with pytest.raises(error, match=said):
        lossfn.softmax_cross_entropy(ROWS, LABELS, **settings)


def test_settings_of_other_losses():
    for loss, setting in [
        ("Huber", "class_axis"),
        ("Huber", "component_axis"),
        ("GaussianNll", "class_axis"),
        ("SoftmaxCrossEntropy", "component_axis"),
        ("Huber", "weights"),
    ]:
        with pytest.raises(TypeError, match=setting):
            getattr(lossfn, loss)(**{setting: 0})
    with pytest.raises(ValueError, match="kullback_leibler cannot have class.weights"):
        lossfn.KullbackLeibler(class_weights=[1.0, 2.0])


def test_settings_are_by_name():
    with pytest.raises(TypeError, match="positional"):
        HUBER.value([1.0], [1.0], [1.0])
    with pytest.raises(TypeError, match="positional"):
        lossfn.huber([1.0], [1.0], 1.0, [1.0])


def test_vectors():
    with pytest.raises(ValueError, match=r"vector .*\b2\b.*\b3\b"):
        HUBER.hessian_vector_product(P[0], Y[0], [1.0, 2.0])
    with pytest.raises(ValueError, match="sparsemax cannot .*diagonal"):
        lossfn.Sparsemax().hessian_vector_product(ROWS, LABELS, ROWS)


def test_what_is_no_loss():
    for junk in ("huber", lossfn.Huber, None, 3):
        with pytest.raises(TypeError, match="[Ll]oss"):
            lossfn.Cost(junk)
        with pytest.raises(TypeError, match="[Ll]oss"):
            lossfn.Cost.by_group(junk, [1.0], [0.0], [0], 1)
    for junk in (None, 3, b"huber", HUBER):
        with pytest.raises(TypeError, match="text|str"):
            lossfn.loss(junk)
    with pytest.raises(ValueError, match="loss"):
        lossfn.loss("\udc80")
    with pytest.raises(TypeError, match="state|str"):
        lossfn.Cost(HUBER, 3)
