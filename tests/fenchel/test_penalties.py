"""Penalties against naive oracles, in Python and compiled."""
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from benchmark_utils.fenchel import penalties

SEPARABLE = [
    name for name in penalties.names() if penalties.load(name).is_separable
]


@njit
def call(penalty, x, step):
    return (
        penalty.prox(x, step), penalty.value(x), penalty.distance(x, step),
        penalty.slope(x), penalty.bend(x),
    )


@njit
def prox(penalty, x, step):
    return penalty.prox(x, step)


def drawn(name, seed):
    """Yield (penalty, x, step) of many scales."""
    rng = np.random.default_rng(seed)
    kind = penalties.load(name)
    for _ in range(300):
        lmbd = 10.0 ** rng.uniform(-1, 1)
        penalty = kind.from_problem(
            lmbd, rng.uniform(2.1, 20.0), int(rng.integers(1, 50))
        )
        x = lmbd * rng.standard_normal() * 10.0 ** rng.uniform(-1, 1)
        yield penalty, x, 10.0 ** rng.uniform(-2.5, 1.5)


def test_the_files_of_the_folder_are_the_penalties():
    assert {"l1", "l2", "elastic_net", "mcp", "scad", "tv"} <= set(
        penalties.names()
    )


@pytest.mark.parametrize("name", SEPARABLE)
def test_prox_is_the_best_of_a_grid(name):
    for penalty, x, step in drawn(name, 0):

        def cost(w, penalty=penalty, x=x, step=step):
            return (w - x) ** 2 / (2.0 * step) + penalty.value(w)

        grid = [*np.linspace(-1.2 * abs(x), 1.2 * abs(x), 2001), 0.0, x]
        best = min(map(cost, grid))
        assert cost(penalty.prox(x, step)) <= best + 1e-9 * (1 + abs(best))


@pytest.mark.parametrize("name", SEPARABLE)
def test_compiled_is_the_same(name):
    for penalty, x, step in drawn(name, 1):
        assert call(penalty, x, step) == (
            penalty.prox(x, step), penalty.value(x),
            penalty.distance(x, step), penalty.slope(x), penalty.bend(x),
        )


@pytest.mark.parametrize("name", SEPARABLE)
def test_derivatives_are_differences(name):
    for penalty, x, _ in drawn(name, 2):
        h = 1e-6 * abs(x)
        sides = [penalty.bend(x - 2 * h), penalty.bend(x + 2 * h)]
        if sides[0] != sides[1]:
            continue
        up, down = penalty.value(x + h), penalty.value(x - h)
        np.testing.assert_allclose(
            penalty.slope(x), (up - down) / (2 * h), rtol=1e-5,
            atol=1e-8 * (1.0 + penalty.value(x) / abs(x)),
        )
        np.testing.assert_allclose(
            penalty.bend(x),
            (penalty.slope(x + h) - penalty.slope(x - h)) / (2 * h),
            rtol=1e-6, atol=1e-6,
        )


@pytest.mark.parametrize("name", SEPARABLE)
def test_distance_is_zero_where_the_prox_stays(name):
    for penalty, x, step in drawn(name, 3):
        w = penalty.prox(x, step)
        # the prox's own optimality: (x - w) / step is a subgradient at w
        scale = 1.0 + abs(x) / step
        assert penalty.distance(w, (w - x) / step) <= 1e-12 * scale
        assert penalty.distance(w, (w - x) / step + scale) > 0.0 or w == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_total_variation_is_optimal(seed):
    rng = np.random.default_rng(seed)
    kind = penalties.load("tv")
    for n in range(1, 30):
        x = rng.standard_normal(n) * 10.0 ** rng.uniform(-1, 1)
        penalty, step = kind(10.0 ** rng.uniform(-2, 1)), 0.7
        before = x.copy()
        w = penalty.prox(x, step)
        np.testing.assert_array_equal(x, before)
        np.testing.assert_array_equal(w, prox(penalty, x, step))
        # dual: running sums of x - w stay within lmbd step, are at the bound
        # where w jumps, and end at zero
        dual, bound = np.cumsum(x - w), penalty.lmbd * step
        slack = 1e-9 * (1.0 + bound + np.abs(x).max())
        assert abs(dual[-1]) <= slack
        assert (np.abs(dual[:-1]) <= bound + slack).all()
        jump = np.diff(w)
        far = np.abs(jump) > slack
        np.testing.assert_allclose(
            dual[:-1][far], -np.sign(jump[far]) * bound, atol=10 * slack
        )


def test_what_is_missing_is_named():
    class Half(NamedTuple):
        lmbd: float
        is_convex = True
        is_separable = True

        def value(self, w):
            return abs(w)

    with pytest.raises(ValueError, match="Half .* lacks from_problem, prox"):
        penalties.check(Half)
    with pytest.raises(ValueError, match="choose among elastic_net, l1, l2"):
        penalties.load("lasso")
