"""What tests share: examples for any loss, made from what the catalog says of it."""

import numpy as np
import pytest

from lossfn import _lossfn

ABOUT = {about["id"]: about for about in _lossfn.catalog()}

# Numbers of a domain that lie well inside, from numbers of any size.
DOMAINS = {
    "any number": lambda x: x,
    "0 or more": np.abs,
    "above 0": lambda x: np.abs(x) + 0.125,
    "0 to 1": lambda x: 1 / (1 + np.exp2(-x)),
    "above 0 and below 1": lambda x: 1 / (1 + np.exp2(-x)),
    "-1 or +1": lambda x: np.where(x < 0, -1.0, 1.0),
    "the logarithm of a probability": lambda x: -np.abs(x),
}


class Examples:
    """Predictions and targets of a loss, for any number of examples."""

    def __init__(self, id, rng, shape, width=4, labels=True):
        about = ABOUT[id]
        self.form = about["form"]
        rows = (*shape, width)
        if self.form == "pointwise":
            self.prediction = DOMAINS[about["prediction_domain"]](rng.normal(size=shape) * 2)
            self.target = DOMAINS[about["target_domain"]](rng.normal(size=shape) * 2)
        elif self.form == "class_axis":
            # Sorted, since some scores are thresholds.
            scores = np.sort(DOMAINS[about["prediction_domain"]](rng.normal(size=rows) * 2))
            self.prediction = scores
            if labels:
                self.target = rng.integers(0, max(width, 1), size=shape)
            else:
                shares = rng.random(rows) + 0.125
                self.target = shares / shares.sum(axis=-1, keepdims=True)
        else:
            domains = [domain for _, domain, _ in about["components"]]
            rows = (*shape, len(domains) or width)
            self.prediction = rng.normal(size=rows) * 2
            for at, domain in enumerate(domains):
                self.prediction[..., at] = DOMAINS[domain](self.prediction[..., at])
            self.target = DOMAINS[about["target_domain"]](rng.normal(size=shape) * 2)


@pytest.fixture(scope="session")
def examples():
    """A function: ``examples(id, shape)`` has a prediction and a target for a loss."""

    def make(id, shape, *, seed=0, **options):
        return Examples(id, np.random.default_rng(seed), shape, **options)

    return make
