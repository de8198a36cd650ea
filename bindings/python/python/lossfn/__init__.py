"""Every loss function that deep learning uses: exact, stable, with gradient and curvature.

A loss is the error of one example, a cost the weighted total over many. Arguments are always in the
order prediction, target.

>>> import lossfn
>>> lossfn.huber([2.5, 0.0, 7.0], [3.0, -0.5, 2.0], delta=1.0)
1.5833333333333333
>>> loss = lossfn.Huber(delta=1.0)
>>> value, gradient = loss.value_and_gradient([2.5, 0.0, 7.0], [3.0, -0.5, 2.0])
>>> gradient.round(3).tolist()
[-0.167, 0.167, 0.333]

Each loss is a function (`lossfn.huber`) and a class (`lossfn.Huber`); `lossfn.catalog` has them all, and
`lossfn.loss("huber(delta=1.5)")` finds one by its text; `lossfn.formula("abs(p - y)^a; a = 1.5")` makes one of
your own, and `lossfn.check` finds what is wrong with it. Adapters for other libraries are modules of
their own, imported only when asked for: `lossfn.torch`, `lossfn.jax`, `lossfn.keras`, `lossfn.sklearn`,
`lossfn.xgboost`, `lossfn.lightgbm`, `lossfn.catboost`, `lossfn.arrow`, `lossfn.distributed`.
"""

from lossfn._card import Card, Fact
from lossfn._catalog import Formula, Loss, catalog, declare, formula, loss, other_name
from lossfn._check import Evidence, Finding, Report, check
from lossfn._linear import LinearCost, linear_cross_entropy
from lossfn._lossfn import Cost

__all__ = [
    "Card", "Cost", "Evidence", "Fact", "Finding", "Formula", "LinearCost", "Loss", "Report", "catalog", "check",
    "formula", "linear_cross_entropy", "loss",
    *declare(globals()),
]


def __getattr__(name):
    raise AttributeError(f"lossfn has no {name!r}{other_name(name)}")


def __dir__():
    return sorted(__all__)
