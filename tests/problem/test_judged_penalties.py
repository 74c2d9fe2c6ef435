"""The judge's penalties against the player's, and both against oracles."""
import math
from typing import NamedTuple

import numpy as np
import pytest

import naive
from benchmark_utils.fenchel import penalties as files
from benchmark_utils.problem.penalties import (
    OWN,
    TV,
    ElasticNet,
    Elementwise,
    adapt,
    make,
)

SEPARABLE = ["mcp", "scad", "l1", "elastic_net"]
#: lambda1 from nothing to huge
STRENGTHS = [0.0, 1e-8, 0.3, 7.0, 1e9]


def pair(name, lmbd, gamma, n):
    """The judge's form of a penalty, and the player's."""
    theirs = files.load(name).from_problem(lmbd, gamma, n)
    if name == "l1":
        return ElasticNet(lmbd), theirs
    if name == "elastic_net":
        return ElasticNet(lmbd, gamma), theirs
    return make(name, lmbd, gamma, n), theirs


def cases(name):
    """Yield (lambda1, gamma, n, scale of w, step), gamma near its limit."""
    limit = {"mcp": 1e-6, "scad": 2.0 + 1e-6}.get(name, 0.5)
    for seed, lmbd in enumerate(STRENGTHS * 8):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 60))
        gamma = limit if seed % 4 == 0 else 2.0 + 10.0 ** rng.uniform(-2, 2)
        scale = max(lmbd, 1e-3) / n * 10.0 ** rng.uniform(-2, 2)
        yield lmbd, gamma, n, scale, 10.0 ** rng.uniform(-3, 1) / n


@pytest.mark.parametrize("name", SEPARABLE)
def test_judge_and_player_have_one_penalty(name):
    for lmbd, gamma, n, scale, step in cases(name):
        rng = np.random.default_rng(n)
        judge, player = pair(name, lmbd, gamma, n)
        theirs = Elementwise(player)
        w = np.append(scale * rng.standard_normal(40), 0.0)
        grad = max(lmbd, 1.0) * rng.standard_normal(41)
        close = dict(rtol=1e-9, atol=1e-12 * (lmbd + scale))
        np.testing.assert_allclose(judge.value(w), theirs.value(w), **close)
        np.testing.assert_allclose(
            judge.distance(w, grad), theirs.distance(w, grad),
            rtol=1e-9, atol=1e-9 * (lmbd + 1e-3),
        )
        # where two points are as good, either may be taken
        for one, a, b in zip(
            w.tolist(), judge.prox(w, step), theirs.prox(w, step), strict=True
        ):
            costs = [
                naive.prox_cost(player.value, one, step, x) for x in (a, b)
            ]
            assert abs(a - b) <= 1e-9 * abs(one) or costs[0] == (
                pytest.approx(costs[1], rel=1e-12)
            )


@pytest.mark.parametrize("name", SEPARABLE)
def test_prox_is_the_best_of_a_grid(name):
    for lmbd, gamma, n, scale, step in cases(name):
        judge, player = pair(name, lmbd, gamma, n)

        def value(w, judge=judge):
            return judge.value(np.array([w]))

        for x in scale * np.random.default_rng(n).standard_normal(3):
            best = naive.prox(value, x, step, 1001)
            least = naive.prox_cost(value, x, step, best)
            own = float(judge.prox(np.array([x]), step)[0])
            for w in (own, player.prox(float(x), step)):
                cost = naive.prox_cost(value, x, step, w)
                assert cost <= least + 1e-12 * abs(least)


@pytest.mark.parametrize("name", SEPARABLE)
def test_distance_is_that_of_the_slopes_on_both_sides(name):
    for lmbd, gamma, n, scale, _ in cases(name):
        rng = np.random.default_rng(n)
        judge, player = pair(name, lmbd, gamma, n)
        for w in (0.0, *(scale * rng.standard_normal(3)).tolist()):
            grad = max(lmbd, 1.0) * float(rng.standard_normal())
            h = 1e-6 * scale
            expected = naive.distance(
                lambda x, judge=judge: judge.value(np.array([x])), w, grad, h
            )
            # slopes are differences of values, and bend over h
            slack = 1e-9 * (
                judge.value(np.array([abs(w) + h])) / h + abs(grad)
            ) + 4.0 * h * (n / gamma + n + gamma)
            own = float(judge.distance(np.array([w]), np.array([grad]))[0])
            assert abs(own - expected) <= slack
            assert abs(player.distance(w, grad) - expected) <= slack


@pytest.mark.parametrize("seed", range(40))
def test_total_variation_by_two_algorithms(seed):
    rng = np.random.default_rng(seed)
    for n in (1, 2, 3, *rng.integers(4, 60, 5)):
        x = rng.standard_normal(n) * 10.0 ** rng.uniform(-3, 3)
        if seed % 3 == 0:
            x = np.round(x)
        lmbd = 10.0 ** rng.uniform(-9, 9) if seed % 5 else 0.0
        before = x.copy()
        judge, player = TV(lmbd), files.load("tv")(lmbd)
        np.testing.assert_allclose(
            judge.prox(x, 0.7), player.prox(x, 0.7), rtol=1e-9,
            atol=1e-9 * np.abs(x).max() + 1e-15 * lmbd,
        )
        assert judge.value(x) == pytest.approx(player.value(x))
        np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("seed", range(10))
def test_total_variation_is_split_at_its_optimum(seed):
    rng = np.random.default_rng(seed)
    v, lmbd2 = 10.0 * rng.standard_normal(30), 10.0 ** rng.uniform(-2, 2)
    penalty = TV(10.0 ** rng.uniform(-2, 1))
    s, u = penalty.split(v, lmbd2)
    best = penalty.prox(v / lmbd2, 1.0 / lmbd2)
    assert (np.abs(u) <= penalty.lmbd).all()
    np.testing.assert_allclose(v - lmbd2 * best, s, atol=1e-10)
    # a subgradient at the prox: the penalty's value is s'w there
    assert s @ best == pytest.approx(penalty.value(best), abs=1e-9)


def test_every_penalty_of_the_judge_has_a_file():
    assert set(OWN) <= set(files.names())
    assert OWN["mcp"].is_convex is False and OWN["tv"].is_convex


def test_a_file_is_judged_by_its_methods():
    class Box(NamedTuple):
        size: float
        is_convex = True
        is_separable = True

        def value(self, w):
            return 0.0 if abs(w) <= self.size else math.inf

        def prox(self, x, step):
            return max(-self.size, min(x, self.size))

        def distance(self, w, grad):
            return max(w * grad, 0.0) if abs(w) == self.size else abs(grad)

    found = adapt(Box(2.0))
    x = np.array([-3.0, 0.5, 9.0])
    assert found.prox(x, 1.0).tolist() == [-2.0, 0.5, 2.0]
    assert found.value(x) == math.inf
    assert found.distance(x / 2, x).tolist() == [3.0, 0.5, 9.0]
