"""The functions and classes that are made from the catalog."""

import copy
import inspect
import pickle
import pydoc
import re
import weakref
from pathlib import Path

import numpy as np
import pytest

import lossfn
from lossfn import _lossfn

ABOUT = {about["id"]: about for about in _lossfn.catalog()}
SETTINGS = {
    "pointwise": {"reduction": "sum", "denominator": "valid", "nothing_valid": "nan"},
    "class_axis": {"denominator": 2.5, "ignored_class": 1, "class_axis": 0},
    "joint": {"nothing_valid": "zero", "component_axis": 0},
}

every_loss = pytest.mark.parametrize("id", lossfn.catalog)


def test_the_catalog_is_that_of_the_library():
    assert list(lossfn.catalog) == list(ABOUT)
    source = Path(__file__).parents[3] / "crates/lossfn/src/losses/mod.rs"
    if source.exists():
        assert re.findall(r"^ +\w+ (\w+)::\w+,$", source.read_text(), re.M) == list(ABOUT)
    with pytest.raises(TypeError):
        lossfn.catalog["huber"] = lossfn.Cauchy


def test_all_names_are_there():
    for name in lossfn.__all__:
        assert getattr(lossfn, name)
    assert set(lossfn.__all__) <= set(dir(lossfn))
    assert len(set(lossfn.__all__)) == len(lossfn.__all__)


@every_loss
def test_function_and_class_agree(id, examples):
    one, function = examples(id, (9,)), getattr(lossfn, id)
    weights = np.linspace(0.5, 2, 9)
    mask = np.arange(9) != 4
    for reduction in ("mean", "sum", "none"):
        loss = lossfn.catalog[id](reduction=reduction)
        of_class = loss.value(one.prediction, one.target, weights=weights, mask=mask)
        of_function = function(
            one.prediction, one.target, weights=weights, mask=mask, reduction=reduction
        )
        np.testing.assert_array_equal(of_class, of_function)
        np.testing.assert_array_equal(
            loss(one.prediction, one.target, weights=weights, mask=mask), of_class
        )
    parameters = loss.parameters
    assert function(one.prediction, one.target, *parameters.values()) == function(
        one.prediction, one.target, **parameters
    )


@every_loss
def test_the_passes_agree(id, examples):
    one = examples(id, (9,))
    for reduction in ("mean", "none"):
        loss = lossfn.catalog[id](reduction=reduction)
        arguments = one.prediction, one.target
        value, gradient, second = loss.value_gradient_and_second(*arguments)
        np.testing.assert_allclose(loss.value(*arguments), value, rtol=1e-15)
        np.testing.assert_array_equal(loss.gradient(*arguments), gradient)
        np.testing.assert_array_equal(loss.second(*arguments), second)
        np.testing.assert_array_equal(loss.value_and_gradient(*arguments)[1], gradient)
        np.testing.assert_array_equal(
            loss.value_gradient_and_curvature(*arguments)[2], loss.curvature(*arguments)
        )
        assert gradient.shape == second.shape == one.prediction.shape


@every_loss
def test_products_with_the_hessian(id, examples):
    # Distributions, as the reverse divergence from a class index is infinite.
    one, loss = examples(id, (7,), labels=False), lossfn.catalog[id](reduction="sum")
    vector = np.random.default_rng(1).normal(size=one.prediction.shape)
    try:
        product = loss.hessian_vector_product(one.prediction, one.target, vector)
    except ValueError as error:
        assert "diagonal" in str(error) and ABOUT[id]["form"] != "pointwise"
        return
    # The truth is the slope of the gradient along the vector. A step of 1e-5 of central differences
    # is off by 1e-10 of the fourth derivative, and by 1e-11 of the gradient from its rounding.
    step = 1e-5 * vector
    ahead, behind = (loss.gradient(one.prediction + at, one.target) for at in (step, -step))
    slope, scale = (ahead - behind) / 2e-5, np.abs(product).max() + np.abs(ahead).max()
    np.testing.assert_allclose(product, slope, rtol=1e-6, atol=1e-8 * scale)
    if ABOUT[id]["form"] == "pointwise":
        second = loss.second(one.prediction, one.target)
        np.testing.assert_allclose(product, second * vector, rtol=1e-15)


@every_loss
def test_signatures(id):
    about, cls = ABOUT[id], lossfn.catalog[id]
    of_function, of_class = inspect.signature(getattr(lossfn, id)), inspect.signature(cls)
    parameters = {name: default for name, default, _, _ in about["parameters"]}
    assert list(of_function.parameters)[: 2 + len(parameters)] == [
        "prediction",
        "target",
        *parameters,
    ]
    assert list(of_class.parameters)[: len(parameters)] == list(parameters)
    for name, default in parameters.items():
        assert of_class.parameters[name].default == of_function.parameters[name].default == default
    settings = [name for name, one in of_class.parameters.items() if one.kind is one.KEYWORD_ONLY]
    assert settings[:3] == ["reduction", "denominator", "nothing_valid"]
    keywords = [
        name for name, one in of_function.parameters.items() if one.kind is one.KEYWORD_ONLY
    ]
    assert keywords == ["weights", "mask", *settings, "out"]
    assert cls.__name__ == "".join(word.capitalize() for word in id.split("_"))
    assert (cls.__module__, getattr(lossfn, id).__module__) == ("lossfn", "lossfn")


@every_loss
def test_copies_are_equal(id):
    cls, form = lossfn.catalog[id], ABOUT[id]["form"]
    plain = cls()
    changed = cls(**SETTINGS[form])
    for loss in (plain, changed):
        copies = [
            eval(repr(loss), {"lossfn": lossfn}),
            copy.copy(loss),
            copy.deepcopy(loss),
            *(
                pickle.loads(pickle.dumps(loss, number))
                for number in range(2, pickle.HIGHEST_PROTOCOL + 1)
            ),
            cls(**loss.parameters, **loss.settings),
            lossfn.loss(str(loss), **loss.settings),
        ]
        for twin in copies:
            assert twin == loss and not (twin != loss)  # noqa: SIM202
            assert hash(twin) == hash(loss) and repr(twin) == repr(loss)
            assert type(twin) is cls and twin.settings == loss.settings
    assert plain != changed
    assert plain != id and plain.id == id
    assert plain.settings == {} and changed.settings == SETTINGS[form]
    assert len({plain, cls()}) == 1
    assert weakref.ref(plain)() is plain


@pytest.mark.parametrize("protocol", range(2))
def test_old_pickle_protocols(protocol):
    loss = lossfn.Huber(1.5, reduction="sum")
    assert pickle.loads(pickle.dumps(loss, protocol)) == loss
    cost = lossfn.Cost(loss)
    assert pickle.loads(pickle.dumps(cost, protocol)) == cost


def test_class_weights_are_copied_too():
    loss = lossfn.SoftmaxCrossEntropy(class_weights=np.array([1, 0.5]))
    assert loss.settings == {"class_weights": [1.0, 0.5]}
    assert (
        eval(repr(loss)) == pickle.loads(pickle.dumps(loss)) == loss != lossfn.SoftmaxCrossEntropy()
    )


def test_different_losses_differ():
    losses = [cls() for cls in lossfn.catalog.values()]
    assert len(set(losses)) == len(losses)
    assert lossfn.Huber(1.0) != lossfn.Huber(2.0)
    assert lossfn.Huber() != lossfn.Huber(reduction="sum")


def test_equal_losses_have_equal_hashes():
    assert lossfn.Linex(0.0) == lossfn.Linex(-0.0)
    assert hash(lossfn.Linex(0.0)) == hash(lossfn.Linex(-0.0))


def test_losses_cannot_be_changed():
    loss = lossfn.Huber()
    for name in ("reduction", "id", "parameters", "delta", "anything"):
        with pytest.raises(AttributeError):
            setattr(loss, name, 1)
    loss.parameters["delta"] = 7.0
    assert loss.parameters == {"delta": 1.0}


@every_loss
def test_aliases_name_ours(id):
    for alias in ABOUT[id]["aliases"]:
        assert lossfn.loss(alias) == lossfn.catalog[id]()
        if alias in lossfn.__all__:
            assert getattr(lossfn, alias) in (lossfn.catalog[id], getattr(lossfn, id))
            continue
        with pytest.raises(
            AttributeError, match=rf"lossfn\.{id} and lossfn\.{lossfn.catalog[id].__name__}"
        ):
            getattr(lossfn, alias)
    with pytest.raises(AttributeError, match="lossfn has no 'no_such_loss'$"):
        lossfn.no_such_loss


@every_loss
def test_what_is_said_about_a_loss(id):
    loss = lossfn.catalog[id]()
    assert loss.formula and loss.gradient_formula and loss.curvature_meaning
    assert loss.formula in loss.describe()
    assert str(loss).startswith(id)
    card = loss.card
    # Of losses of several predicted numbers nothing is claimed.
    assert len(card) >= 9 or ABOUT[id]["form"] == "joint" and not card
    for name, fact in card.items():
        assert fact.holds in (True, False, None) and fact.title and fact.text
        assert card[name] is fact
    assert str(loss) in repr(card) and "<table>" in card._repr_html_()
    with pytest.raises(KeyError, match="no such property"):
        card["no such property"]


@every_loss
def test_formulas_as_latex(id):
    loss = lossfn.catalog[id]()
    for text in (loss.latex, loss._repr_latex_()):
        assert text.count("{") == text.count("}") and text.count(r"\left") == text.count(r"\right")
    assert loss.latex._repr_latex_().startswith("$$")


@every_loss
def test_help_works(id):
    for thing in (getattr(lossfn, id), lossfn.catalog[id]):
        text = pydoc.plain(pydoc.render_doc(thing))
        assert ABOUT[id]["summary"].split("\n")[0] in text and "reduction" in text


def test_losses_by_text():
    assert lossfn.loss("huber(delta=1.5)", reduction="sum") == lossfn.Huber(1.5, reduction="sum")
    assert lossfn.loss("quantile(0.9)") == lossfn.Quantile(0.9)
    for text, said in {
        "hubber": "huber",
        "huber(delta=0)": "delta",
        "huber(width=1)": "width",
        "huber(": "huber",
        "huber(delta=auto)": "number",
        "": "loss",
        "huber\0": "loss",
    }.items():
        with pytest.raises(ValueError, match=said):
            lossfn.loss(text)
    with pytest.raises(TypeError, match="class_axis"):
        lossfn.loss("huber", class_axis=1)


class Double(lossfn.Huber):
    """A class of a user's own, with a method and an attribute."""

    def value(self, *arguments, **options):
        return 2 * super().value(*arguments, **options)


class Named(lossfn.Huber):
    def __new__(cls, name, delta=1.0):
        return super().__new__(cls, delta)

    def __init__(self, name, delta=1.0):
        self.name = name

    def __reduce__(self):
        return Named, (self.name, *self.parameters.values())


def test_users_can_derive_classes():
    loss = Double(1.5)
    assert loss.value([3.0], [0.0]) == 2 * lossfn.huber([3.0], [0.0], delta=1.5)
    for twin in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):
        assert type(twin) is Double and twin == loss
    assert repr(loss).endswith("Double(delta=1.5)") and not repr(loss).startswith("lossfn")
    assert loss != lossfn.Huber(1.5), "a class may compute something else"
    named = Named("mine", 2.0)
    assert (named.name, named.parameters) == ("mine", {"delta": 2.0})
    assert pickle.loads(pickle.dumps(named)).name == "mine"


def test_the_base_class_is_no_loss():
    class Empty(lossfn.Loss):
        pass

    for cls in (lossfn.Loss, Empty):
        with pytest.raises(TypeError, match="lossfn"):
            cls()
    assert all(issubclass(cls, lossfn.Loss) for cls in lossfn.catalog.values())
