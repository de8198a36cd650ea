"""Costs that are added up over batches, processes and machines: exactly."""

import copy
import json
import multiprocessing
import pickle
import random
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import reduce

import numpy as np
import pytest

import lossfn
from lossfn import Cost

RNG = np.random.default_rng(3)
LOSS = lossfn.Huber(delta=1.5)
# Of sizes that float addition would lose.
PREDICTION = RNG.normal(size=1000) * 10.0 ** RNG.integers(-12, 12, 1000)
TARGET = np.zeros(1000)
WEIGHTS = RNG.random(1000)
MASK = RNG.random(1000) < 0.9


def cost_of(loss, *arguments, **options):
    cost = Cost(loss)
    cost.update(*arguments, **options)
    return cost


@pytest.mark.parametrize("id", lossfn.catalog)
def test_parts_make_the_whole(id, examples):
    one = examples(id, (60,), labels=False)
    weights = WEIGHTS[:60]
    for settings in ({}, {"reduction": "sum"}, {"denominator": "valid"}, {"denominator": 2.5}):
        loss = lossfn.catalog[id](**settings)
        whole = cost_of(loss, one.prediction, one.target, weights)
        parts = Cost(loss)
        for start, end in [(0, 1), (1, 1), (1, 30), (30, 60)]:
            parts.update(one.prediction[start:end], one.target[start:end], weights[start:end])
        assert parts == whole and parts.value() == whole.value()
        assert whole.value() == loss.value(one.prediction, one.target, weights=weights)


@pytest.mark.parametrize("seed", range(20))
def test_any_split_and_order_gives_the_same_bits(seed):
    random.seed(seed)
    order = random.sample(range(1000), 1000)
    cuts = sorted(random.choices(range(1001), k=random.randrange(1, 40)))
    parts = []
    for start, end in zip([0, *cuts], [*cuts, 1000], strict=True):
        at = order[start:end]
        parts.append(cost_of(LOSS, PREDICTION[at], TARGET[at], WEIGHTS[at], mask=MASK[at]))
    random.shuffle(parts)
    merged = Cost(LOSS)
    for part in parts:
        merged.merge(part)
    whole = cost_of(LOSS, PREDICTION, TARGET, WEIGHTS, mask=MASK)
    assert merged == whole
    assert merged.value() == LOSS.value(PREDICTION, TARGET, weights=WEIGHTS, mask=MASK)
    assert merged.state_text == whole.state_text


def test_sums_are_exact():
    from fractions import Fraction

    cost = cost_of(lossfn.AbsoluteError(), PREDICTION, TARGET)
    exact = sum(abs(Fraction(x)) for x in PREDICTION.tolist())
    assert cost.sum == float(exact)
    cost = cost_of(lossfn.AbsoluteError(), [1e308, 1.0, 1e308, 2.0**-1074], [0.0] * 4)
    assert cost.sum == float("inf"), "of a sum beyond the largest number"
    assert cost_of(lossfn.LogCosh(), [], []).sum == 0.0


def test_what_a_cost_says():
    cost = cost_of(
        LOSS, [1.0, 2.0, np.nan], [0.0, 0.0, 0.0], [1.0, 3.0, 5.0], mask=[True, True, False]
    )
    assert (cost.examples, cost.valid, cost.weights, cost.sum) == (3, 2, 4.0, 0.5 + 3 * 1.875)
    assert cost.value() == cost.sum / 4
    assert cost.loss == LOSS
    assert repr(cost) == f"<lossfn.Cost of {LOSS!r}: 2 of 3 examples count, value {cost.value()!r}>"
    assert "value" not in repr(Cost(LOSS)) and "0 of 0" in repr(Cost(LOSS))
    with pytest.raises(AttributeError):
        cost.sum = 1.0


def test_a_cost_of_nothing():
    with pytest.raises(ValueError, match="no example"):
        Cost(LOSS).value()
    assert np.isnan(Cost(lossfn.Huber(nothing_valid="nan")).value())
    assert Cost(lossfn.Huber(nothing_valid="zero")).value() == 0.0
    assert Cost(lossfn.Huber(reduction="sum")).value() == 0.0
    with pytest.raises(ValueError, match="none"):
        cost_of(lossfn.Huber(reduction="none"), [1.0], [0.0]).value()


def test_a_single_number_is_an_example():
    cost = Cost(LOSS)
    cost.update(3.0, 0.0)
    cost.update(np.float32(1.0), 0, 2.0)
    assert (cost.examples, cost.weights) == (2, 3.0)


@pytest.mark.parametrize(
    "arguments, options",
    [
        (([1.0, 2.0], [1.0]), {}),
        (([1.0, 2.0], [1.0, 2.0], [1.0, -1.0]), {}),
        (([1.0, 2.0], [1.0, 2.0], [1.0, np.nan]), {}),
        (([1.0, 2.0], [1.0, 2.0]), {"mask": [True]}),
        (([1.0, 2.0], ["a", "b"]), {}),
        (([1.0, 2.0],), {}),
    ],
)
def test_after_an_error_the_cost_is_as_it_was(arguments, options):
    cost = cost_of(LOSS, PREDICTION, TARGET)
    before = cost.state_text
    with pytest.raises((ValueError, TypeError)):
        cost.update(*arguments, **options)
    assert cost.state_text == before


def test_a_late_error_leaves_the_cost_as_it_was():
    prediction, target = np.ones((300_000, 3)), np.zeros(300_000, int)
    target[-1] = 3
    cost = cost_of(lossfn.SoftmaxCrossEntropy(), prediction[:5], target[:5])
    before = cost.state_text
    with pytest.raises(ValueError, match="label 3 at position 299999"):
        cost.update(prediction, target)
    assert cost.state_text == before


def test_merging():
    one, other = cost_of(LOSS, [1.0], [0.0]), cost_of(LOSS, [3.0], [0.0])
    before = other.state_text
    one.merge(other)
    assert one == cost_of(LOSS, [1.0, 3.0], [0.0, 0.0]) and other.state_text == before
    one.merge(one)
    assert one == cost_of(LOSS, [1.0, 3.0, 1.0, 3.0], [0.0] * 4)
    before = one.state_text
    for loss in (lossfn.Huber(2.0), lossfn.Huber(1.5, reduction="sum"), lossfn.Cauchy()):
        with pytest.raises(ValueError, match=r"lossfn.Huber\(delta=1.5\) and lossfn\."):
            one.merge(Cost(loss))
    for junk in (None, 1.0, LOSS, one.state_text):
        with pytest.raises(TypeError):
            one.merge(junk)
    assert one.state_text == before


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda cost: Cost(cost.loss, cost.state_text),
        *(
            lambda cost, protocol=protocol: pickle.loads(pickle.dumps(cost, protocol))
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_copies(copied):
    for loss in (LOSS, lossfn.SquaredError(reduction="sum"), lossfn.AbsoluteError(denominator=3.0)):
        for cost in (Cost(loss), cost_of(loss, PREDICTION, TARGET, WEIGHTS, mask=MASK)):
            twin = copied(cost)
            assert twin == cost and twin.state_text == cost.state_text and twin.loss == loss
            cost.update([1.0], [0.0])
            assert twin != cost, "a copy counts by itself"
            twin.update([1.0], [0.0])
            assert twin == cost


def test_costs_that_differ():
    assert Cost(LOSS) == Cost(lossfn.Huber(1.5)) != Cost(lossfn.Huber(2.0))
    assert Cost(LOSS) != cost_of(LOSS, [1.0], [1.0]) and Cost(LOSS) != LOSS
    with pytest.raises(TypeError, match="unhashable"):
        hash(Cost(LOSS))


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_not_finite_stays(value):
    cost = cost_of(lossfn.AbsoluteError(), [1.0, value], [0.0, 0.0])
    twin = Cost(cost.loss, cost.state_text)
    np.testing.assert_equal((twin.sum, twin.value()), (value, value))
    twin.merge(cost_of(cost.loss, [1.0], [0.0]))
    np.testing.assert_equal(twin.value(), value)


def test_a_damaged_state_is_refused_or_is_a_state():
    text = cost_of(LOSS, PREDICTION, TARGET, WEIGHTS).state_text
    good = json.loads(text)
    damaged = ["", "{}", "[]", "null", "3", text[:-1], text + "}", text.replace('"', "'"), "\0"]
    for name in good:
        for junk in (None, -1, 1.5, "x", {}, [None], ["x"], 2**70, [1e308] * 3, {"special": 1}):
            damaged.append(json.dumps({**good, name: junk}))
        damaged.append(json.dumps({key: x for key, x in good.items() if key != name}))
    refused = 0
    for state in damaged:
        try:
            cost = Cost(LOSS, state)
        except ValueError as error:
            assert "state is not the text of a cost's state" in str(error)
            refused += 1
            continue
        repr(cost), cost.sum, cost.weights, cost.valid, cost.examples
        cost.update([1.0], [0.0])
        assert Cost(LOSS, cost.state_text) == cost
    assert refused > len(damaged) / 2


# Groups.


def test_groups_are_costs_of_their_examples():
    groups = RNG.integers(0, 7, 1000)
    costs = Cost.by_group(LOSS, PREDICTION, TARGET, groups, 8, WEIGHTS, mask=MASK)
    assert len(costs) == 8 and costs[7] == Cost(LOSS)
    for group, cost in enumerate(costs):
        at = groups == group
        assert cost == cost_of(LOSS, PREDICTION[at], TARGET[at], WEIGHTS[at], mask=MASK[at])
    whole = reduce(lambda total, cost: total.merge(cost) or total, costs, Cost(LOSS))
    assert whole == cost_of(LOSS, PREDICTION, TARGET, WEIGHTS, mask=MASK)


@pytest.mark.parametrize("id", ["softmax_cross_entropy", "gaussian_nll", "hinge"])
def test_groups_of_rows(id, examples):
    one = examples(id, (3, 40))
    groups = np.asfortranarray(RNG.integers(0, 4, (3, 40)).astype("u1"))
    loss = lossfn.catalog[id]()
    for group, cost in enumerate(Cost.by_group(loss, one.prediction, one.target, groups, 4)):
        at = groups == group
        assert cost == cost_of(loss, one.prediction[at], one.target[at])


def test_groups_of_nothing():
    assert Cost.by_group(LOSS, [], [], np.zeros(0, int), 0) == []
    assert Cost.by_group(LOSS, [], [], np.zeros(0, int), 2) == [Cost(LOSS)] * 2
    assert Cost.by_group(LOSS, [1.0], [0.0], [False], 1)[0].examples == 1


@pytest.mark.parametrize(
    "groups, count, error, said",
    [
        ([0, 2], 2, ValueError, "groups has 2 at position 1.*count=2"),
        ([-1, 0], 2, ValueError, "groups has -1 at position 0"),
        (np.array([0, 2**64 - 1], "u8"), 2, ValueError, "groups has 18446744073709551615"),
        ([0, 0, 0], 1, ValueError, r"groups .*\b3\b.*\b2\b"),
        ([[0, 0]], 1, ValueError, r"groups .*\b1, 2\b.*\b2\b"),
        (0, 1, ValueError, "groups"),
        ([0.0, 0.0], 1, TypeError, "groups has elements of type float64.*whole"),
        (["a", "b"], 1, TypeError, "groups has elements of type <U1"),
        ([0, 0], 0, ValueError, "groups has 0 at position 0.*count"),
        ([0, 0], -1, ValueError, "count"),
        ([0, 0], 2**70, (ValueError, TypeError, MemoryError), "count"),
        ([0, 0], 2**62, (ValueError, MemoryError), "count"),
        ([0, 0], 1.5, TypeError, "count"),
        ([0, 0], "2", TypeError, "count"),
    ],
)
def test_groups_that_are_refused(groups, count, error, said):
    with pytest.raises(error, match=said):
        Cost.by_group(LOSS, [1.0, 2.0], [0.0, 0.0], groups, count)


# Threads and processes.


def test_threads_may_add_to_one_cost():
    total, parts = Cost(LOSS), np.array_split(np.arange(1000), 50)

    def work(chunk):
        for at in chunk:
            if at[0] % 40:
                total.update(PREDICTION[at], TARGET[at], WEIGHTS[at])
            else:
                total.merge(cost_of(LOSS, PREDICTION[at], TARGET[at], WEIGHTS[at]))
            repr(total), total.state_text

    threads = [threading.Thread(target=work, args=(parts[start::5],)) for start in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total == cost_of(LOSS, PREDICTION, TARGET, WEIGHTS)


def test_threads_may_merge_costs_into_each_other():
    # Two locks that are taken in both orders would never be given back.
    one, other = cost_of(LOSS, [1.0], [0.0]), cost_of(LOSS, [2.0], [0.0])

    def work(into, of):
        for _ in range(30):
            into.merge(of)
            assert (into == of) in (True, False)

    threads = [
        threading.Thread(target=work, args=pair, daemon=True)
        for pair in [(one, other), (other, one), (one, one)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive()


def part_of(loss, prediction, target):
    return cost_of(loss, prediction, target)


def test_processes_give_costs_back():
    parts = [(LOSS, PREDICTION[at], TARGET[at]) for at in np.array_split(np.arange(1000), 8)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        total = Cost(LOSS)
        for cost in pool.map(part_of, *zip(*parts, strict=True)):
            total.merge(cost)
    assert total == cost_of(LOSS, PREDICTION, TARGET)
