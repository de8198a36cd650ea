"""A linear layer with its cost beside torch.nn.functional.linear_cross_entropy, or the two calls it stands for."""

import numpy as np
import pytest

import lossfn

torch = pytest.importorskip("torch")
F = torch.nn.functional


def peers():
    def in_full(input, layer, target, *, linear_bias=None, **options):
        return F.cross_entropy(F.linear(input, layer, linear_bias), target, **options)

    yield in_full
    if hasattr(F, "linear_cross_entropy"):
        yield F.linear_cross_entropy


@pytest.mark.parametrize("peer", peers(), ids=lambda peer: peer.__name__)
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, {}),
        ({"reduction": "sum"}, {"reduction": "sum"}),
        ({"ignore_index": 3}, {"ignored_class": 3}),
        ({"label_smoothing": 0.1}, {"label_smoothing": 0.1}),
        ({"weight": torch.linspace(0.5, 2, 11)}, {"class_weights": np.linspace(0.5, 2, 11).tolist()}),
    ],
    ids=str,
)
def test_torch(peer, has_bias, options, settings):
    generator = torch.Generator().manual_seed(0)
    hidden, classifier = (torch.randn(n, 8, generator=generator) for n in (50, 11))
    bias = torch.randn(11, generator=generator) if has_bias else None
    target = torch.randint(0, 11, (50,), generator=generator)
    parts = [part for part in (hidden, classifier, bias) if part is not None]
    arrays = [part.numpy().copy() for part in parts]
    for part in parts:
        part.requires_grad_()
    value = peer(hidden, classifier, target, linear_bias=bias, **options)
    value.backward()

    cost = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy(**settings))
    found = cost.value_and_gradients(*arrays[:2], target.numpy(), *arrays[2:])
    for one, other in zip(found, [value.detach(), *(part.grad for part in parts)], strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-5, atol=1e-6)
