"""The last layer of a model with its loss, by the name that it is looked for."""

from lossfn import _catalog
from lossfn._lossfn import LinearCost


def linear_cross_entropy(hidden, classifier, target, bias=None, *, weights=None, mask=None, out=None, **settings):
    """The softmax cross-entropy of the scores ``hidden @ classifier.T + bias``, which are never in memory all at once.

    Parameters
    ----------
    hidden : array
        A row for each example, of the shape (examples, width).
    classifier : array
        A row for each class, of the shape (classes, width).
    target : array
        The label of each example.
    bias : array, optional
        For each class a number that is added to its scores.
    weights, mask, out
        As in `softmax_cross_entropy`.
    settings
        Parameters and settings of `SoftmaxCrossEntropy`: ``soft_cap``, ``label_smoothing``, ``ignored_class``,
        ``reduction`` and so on.

    Returns
    -------
    float, or array with the losses one by one if reduction is none. Gradients are given by `LinearCost`.

    Raises
    ------
    ValueError
        As `LinearCost.value`.
    TypeError
        What is not an array of real numbers.

    Examples
    --------
    >>> import lossfn
    >>> hidden, classifier = [[1.0, 2.0], [0.5, -1.0]], [[0.1, 0.2], [0.0, 0.3], [-0.1, 0.4]]
    >>> round(lossfn.linear_cross_entropy(hidden, classifier, [2, -100], ignored_class=-100), 6)
    1.001943
    """
    cost = LinearCost(_catalog.catalog["softmax_cross_entropy"](**settings))
    return cost.value(hidden, classifier, target, bias, weights=weights, mask=mask, out=out)
