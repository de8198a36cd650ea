"""Losses of several predicted numbers and one target: how the target is distributed."""

from common import F32_MAX, Loss
from mpmath import diff, exp, inf, ln, mp, mpf, pi


def by_each(value, order):
    """The derivatives of a definition by each predicted number."""

    def of_row(row, target, **parameters):
        def along(place):
            return lambda x: value(row[:place] + [x] + row[place + 1 :], target, **parameters)

        return [order(along(place), row[place]) for place in range(len(row))]

    return of_row


def each(value):
    """The derivatives of a loss of predicted numbers that each have a closed form: none has these here."""
    return by_each(value, lambda f, x: diff(f, x)), by_each(value, lambda f, x: diff(f, x, 2))
