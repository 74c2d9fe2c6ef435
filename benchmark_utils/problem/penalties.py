r"""Penalties in plain NumPy: value, prox, distance to the subdifferential.

The forms that results are judged by. They share nothing with the player's
files (`fenchel.penalties`): where a prox has several pieces its best point is
looked for among the candidates of all of them, and that of total variation
comes from dynamic programming.

lambda1 and lambda2 are those of a loss that is a *sum* over the n samples;
gamma is on the scale of the mean loss, as skglm and ncvreg write it. Arrays
are float64, of shape (n_features,), and not changed.

References
----------
C.-H. Zhang, "Nearly unbiased variable selection under minimax concave
penalty", Ann. Statist. 38(2), 2010, doi:10.1214/09-AOS729.
J. Fan and R. Li, "Variable selection via nonconcave penalized likelihood and
its oracle properties", JASA 96(456), 2001, doi:10.1198/016214501753382273.
N. A. Johnson, "A dynamic programming algorithm for the fused lasso and
L0-segmentation", J. Comput. Graph. Statist. 22(2), 2013,
doi:10.1080/10618600.2012.681238.
"""
from collections import deque
from typing import NamedTuple

import numpy as np


class ElasticNet(NamedTuple):
    """Penalize by lambda1 |w|_1 + lambda2 / 2 |w|_2^2, either may be zero."""

    lmbd1: float
    lmbd2: float = 0.0

    is_convex = True
    is_separable = True

    def values(self, w):
        return self.lmbd1 * np.abs(w) + 0.5 * self.lmbd2 * w**2

    def value(self, w):
        return float(self.values(w).sum())

    def prox(self, x, step):
        size = np.maximum(np.abs(x) - step * self.lmbd1, 0.0)
        return np.sign(x) * size / (1.0 + step * self.lmbd2)

    def distance(self, w, grad):
        return _distance(w, grad + self.lmbd2 * w, self.lmbd1, self.lmbd1)


class MCP(NamedTuple):
    """Penalize each |w| by lambda1 |w| - n w^2 / (2 gamma), then constantly.

    From |w| = gamma lambda1 / n on it is gamma lambda1^2 / (2 n).
    """

    lmbd: float
    gamma: float
    n_samples: float

    is_convex = False
    is_separable = True
    #: gamma must be above
    least_gamma = 0.0

    @property
    def knot(self):
        return self.gamma * self.lmbd / self.n_samples

    def values(self, w):
        size = np.abs(w)
        bent = self.lmbd * size - self.n_samples * size**2 / (2 * self.gamma)
        return np.where(size <= self.knot, bent, 0.5 * self.lmbd * self.knot)

    def value(self, w):
        return float(self.values(w).sum())

    def prox(self, x, step):
        size = np.abs(x)
        bend = 1.0 - step * self.n_samples / self.gamma
        inner = [np.zeros_like(size), np.full_like(size, self.knot)]
        if bend > 0:
            stationary = (size - step * self.lmbd) / bend
            inner.append(np.clip(stationary, 0.0, self.knot))
        outer = np.maximum(size, self.knot)
        return _best(self, x, step, [*inner, outer])

    def distance(self, w, grad):
        slope = self.lmbd - self.n_samples * np.abs(w) / self.gamma
        return _distance(w, grad, np.maximum(slope, 0.0), self.lmbd)


class SCAD(NamedTuple):
    """Penalize each |w| by a slope of lambda1 that falls to zero.

    It is lambda1 up to |w| = lambda1 / n, falls linearly, and is zero from
    |w| = gamma lambda1 / n on.
    """

    lmbd: float
    gamma: float
    n_samples: float

    is_convex = False
    is_separable = True
    least_gamma = 2.0

    @property
    def knot(self):
        return self.lmbd / self.n_samples

    def values(self, w):
        size, knot, gamma = np.abs(w), self.knot, self.gamma
        middle = self.n_samples * (
            (2 * gamma * knot * size - size**2 - knot**2) / (2 * (gamma - 1))
        )
        end = 0.5 * self.lmbd * knot * (gamma + 1)
        return np.where(
            size <= knot, self.lmbd * size,
            np.where(size <= gamma * knot, middle, end),
        )

    def value(self, w):
        return float(self.values(w).sum())

    def prox(self, x, step):
        size, knot, last = np.abs(x), self.knot, self.gamma * self.knot
        inner = np.clip(size - step * self.lmbd, 0.0, knot)
        candidates = [inner, np.full_like(size, knot)]
        bend = 1.0 - step * self.n_samples / (self.gamma - 1)
        if bend > 0:
            shift = step * self.gamma * self.lmbd / (self.gamma - 1)
            candidates.append(np.clip((size - shift) / bend, knot, last))
        return _best(self, x, step, [*candidates, np.maximum(size, last)])

    def distance(self, w, grad):
        fall = self.gamma * self.lmbd - self.n_samples * np.abs(w)
        slope = np.clip(fall / (self.gamma - 1), 0.0, self.lmbd)
        return _distance(w, grad, slope, self.lmbd)


class TV(NamedTuple):
    """Penalize by lambda1 sum_j |w_(j+1) - w_j|: total variation."""

    lmbd: float

    is_convex = True
    is_separable = False

    def value(self, w):
        return float(self.lmbd * np.abs(np.diff(w)).sum())

    def prox(self, x, step):
        """Minimise |w - x|^2 / 2 + bound sum |w_(j+1) - w_j| by its messages.

        The best cost of w_1, ..., w_j as a function of w_j is convex; its
        derivative is piecewise linear and, once w_j was minimised over,
        clipped at +-bound. Kept are its knots, and the lines at both ends.
        """
        bound = step * self.lmbd
        if bound == 0 or len(x) == 1:
            return np.array(x, dtype=float)
        knots, ends = deque(), []
        left = right = (1.0, -float(x[0]))
        for following in x[1:]:
            slope, offset = left
            while knots and slope * knots[0][0] + offset < -bound:
                _, more, rise = knots.popleft()
                slope, offset = slope + more, offset + rise
            low = (-bound - offset) / slope
            knots.appendleft((low, slope, offset + bound))
            slope, offset = right
            # the lower end stays, whatever rounding says of it
            while len(knots) > 1 and (
                slope * knots[-1][0] + offset > bound
            ):
                _, more, rise = knots.pop()
                slope, offset = slope - more, offset - rise
            high = (bound - offset) / slope
            knots.append((high, -slope, bound - offset))
            ends.append((low, high))
            left = 1.0, -bound - float(following)
            right = 1.0, bound - float(following)
        slope, offset = left
        while knots and slope * knots[0][0] + offset < 0.0:
            _, more, rise = knots.popleft()
            slope, offset = slope + more, offset + rise
        w = np.empty(len(x))
        w[-1] = -offset / slope
        for j in range(len(x) - 2, -1, -1):
            w[j] = min(max(w[j + 1], ends[j][0]), ends[j][1])
        return w

    def split(self, v, lmbd2):
        """Return s near v - lambda2 w* that total variation can have, and u.

        w* is the prox of v / lambda2 with step 1 / lambda2. s = D'u for the
        differences D and some |u| <= lambda1, whatever rounding did to w*.
        """
        rest = v - lmbd2 * self.prox(v / lmbd2, 1.0 / lmbd2)
        u = np.clip(-np.cumsum(rest)[:-1], -self.lmbd, self.lmbd)
        return -np.diff(u, prepend=0.0, append=0.0), u


class Elementwise:
    """A penalty that someone adds as a file of the player, for arrays.

    Such a file has methods of plain Python, of one number where it is a sum
    over the coefficients: they are called for each in turn. Nothing checks
    them but the tests.

    Parameters
    ----------
    penalty : object
        `value`, `prox`, `distance` and `is_convex`, as
        `fenchel/penalties/__init__.py` explains.
    """

    is_separable = True

    def __init__(self, penalty):
        self.penalty = penalty
        self.is_convex = penalty.is_convex

    def values(self, w):
        return self._map(self.penalty.value, w)

    def value(self, w):
        return float(self.values(w).sum())

    def prox(self, x, step):
        return self._map(lambda one: self.penalty.prox(one, step), x)

    def distance(self, w, grad):
        return self._map(self.penalty.distance, w, grad)

    def _map(self, method, *arrays):
        numbers = (np.asarray(one, float).tolist() for one in arrays)
        return np.array(
            [method(*one) for one in zip(*numbers, strict=True)], float
        )


class Coupled:
    """An added penalty whose methods take the whole array."""

    is_separable = False

    def __init__(self, penalty):
        self.value, self.prox = penalty.value, penalty.prox
        self.is_convex = penalty.is_convex


#: the judge's own forms of penalties that are no elastic net
OWN = {"mcp": MCP, "scad": SCAD, "tv": TV}


def make(name, lmbd1, gamma, n_samples):
    """Make one of `OWN` for a problem."""
    kind = OWN[name]
    if kind is TV:
        return TV(float(lmbd1))
    return kind(float(lmbd1), float(gamma), float(n_samples))


def adapt(penalty):
    """Give a penalty of a file the form of those here."""
    return (Elementwise if penalty.is_separable else Coupled)(penalty)


def _distance(w, grad, slope, at_zero):
    """How far -grad is from sign(w) slope, and at w = 0 from [-1, 1] at_zero.
    """
    return np.where(
        w != 0,
        np.abs(grad + np.sign(w) * slope),
        np.maximum(np.abs(grad) - at_zero, 0.0),
    )


def _best(penalty, x, step, sizes):
    """Choose for each entry the size that makes prox's cost least."""
    sizes = np.array(sizes)
    cost = (sizes - np.abs(x)) ** 2 / (2 * step) + penalty.values(sizes)
    chosen = np.take_along_axis(sizes, cost.argmin(axis=0)[None], axis=0)[0]
    return np.sign(x) * chosen
