"""Certificates by the prox, violations, and who is asked to solve what."""
from typing import NamedTuple

import numpy as np
import pytest
from benchopt import BaseSolver
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

import naive
from benchmark_utils.problem import stationarity as module
from benchmark_utils.problem.by_prox import certify_by_prox
from benchmark_utils.problem.certificate import certify, lambda1_max
from benchmark_utils.problem.loss import gradient, log_loss, predict_margins
from benchmark_utils.problem.penalties import (
    TV,
    ElasticNet,
    Elementwise,
    make,
)
from benchmark_utils.problem.stationarity import stationarity
from benchmark_utils.wiring.base_solver import LogisticSolver
from harness import attach, objective, run_to_the_end, set_problem


def problem(seed, n=40, p=6, scale=1.0):
    rng = np.random.default_rng(seed)
    X = scale * rng.standard_normal((n, p))
    scores = X @ rng.standard_normal(p) / scale + 0.3
    y = np.where(scores + rng.logistic(size=n) > 0, 1.0, -1.0)
    y[:2] = -1.0, 1.0
    return X, y


def value(X, y, w, b, penalty, lmbd2):
    """F by its definition."""
    return log_loss(y * (X @ w + b)) + penalty.value(w) + lmbd2 / 2 * w @ w


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_elastic_net_by_its_prox_is_the_usual_certificate(
    seed, fit_intercept
):
    X, y = problem(seed)
    rng = np.random.default_rng(seed)
    lmbd1 = rng.uniform(0.01, 1.2) * lambda1_max(X, y, fit_intercept)
    lmbd2 = 10.0 ** rng.uniform(-2, 2)
    b = 0.4 if fit_intercept else 0.0
    for size in (0.0, 1e-3, 1.0):
        w = size * rng.standard_normal(6)
        usual = certify(X, y, w, b, lmbd1, lmbd2, fit_intercept)
        for penalty in (ElasticNet(lmbd1), Elementwise(Number(lmbd1))):
            found = certify_by_prox(
                X, y, w, b, penalty, lmbd2, fit_intercept
            )
            assert found.value == pytest.approx(usual.value, rel=1e-12)
            # the usual one may also scale the dual point
            assert found.gap >= usual.gap * (1 - 1e-6)
            assert found.kkt == pytest.approx(usual.kkt, rel=1e-6)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("seed", range(24))
def test_a_gap_by_the_prox_is_not_below_the_exact_one(seed, fit_intercept):
    """Rounding included: columns of 1e6, a tiny lambda2, near the optimum."""
    rng = np.random.default_rng(seed)
    X, y = problem(seed, n=12, p=3)
    X = X * 10.0 ** rng.uniform(-2, 6, 3) + 100.0 * (seed % 2)
    lmbd1 = 10.0 ** rng.uniform(-3, 0) * lambda1_max(X, y, fit_intercept)
    lmbd2 = 10.0 ** rng.uniform(-8, 2)
    penalty = ElasticNet(lmbd1)
    w, b = fitted(X, y, penalty, lmbd2, fit_intercept, 200 * (seed % 4))
    found = certify_by_prox(X, y, w, b, penalty, lmbd2, fit_intercept)
    exact_value, exact = naive.certificate(
        X, y, w, b, lmbd1, lmbd2, fit_intercept
    )
    assert found.value == pytest.approx(exact_value, rel=1e-9)
    assert found.gap >= exact * (1 - 1e-12)


class Number(NamedTuple):
    """lambda1 |w|, as a file of someone else would have it."""

    lmbd: float
    is_convex = True
    is_separable = True

    def value(self, w):
        return self.lmbd * abs(w)

    def prox(self, x, step):
        return max(x - step * self.lmbd, 0.0) + min(x + step * self.lmbd, 0.0)

    def distance(self, w, grad):
        if w == 0:
            return max(abs(grad) - self.lmbd, 0.0)
        return abs(grad + self.lmbd * (1 if w > 0 else -1))


def optimum_of_tv(X, y, lmbd1, lmbd2, fit_intercept):
    """(w, b) by SciPy, from a smooth form: the first entry and the jumps.

    Each jump is the difference of two numbers that are not negative.
    """
    p = X.shape[1]
    steps = np.tril(np.ones((p, p)))

    def split(x):
        jumps = x[1:p] - x[p:2 * p - 1]
        return steps @ np.append(x[0], jumps), x[-1] * fit_intercept

    def both(x):
        w, b = split(x)
        g_w, g_b = gradient(X, y, predict_margins(X, y, w, b))
        g = steps.T @ (g_w + lmbd2 * w)
        f = log_loss(y * (X @ w + b)) + lmbd2 / 2 * w @ w
        return f + lmbd1 * x[1:2 * p - 1].sum(), np.concatenate([
            g, -g[1:], [g_b * fit_intercept],
        ]) + np.concatenate([[0.0], np.full(2 * p - 2, lmbd1), [0.0]])

    bounds = [(None, None)] + (2 * p - 2) * [(0, None)] + [(None, None)]
    found = minimize(
        both, np.zeros(2 * p), jac=True, bounds=bounds, method="L-BFGS-B",
        options=dict(maxiter=10**5, maxfun=10**6, ftol=1e-16, gtol=1e-10),
    )
    return split(found.x)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_total_variation_closes_at_an_independent_optimum(
    seed, fit_intercept
):
    X, y = problem(seed)
    lmbd1 = [0.01, 0.3, 1.0, 50.0][seed % 4] * 5
    lmbd2 = 10.0 ** (seed % 3 - 1)
    w, b = optimum_of_tv(X, y, lmbd1, lmbd2, fit_intercept)
    penalty = TV(lmbd1)
    best = certify_by_prox(X, y, w, b, penalty, lmbd2, fit_intercept)
    assert best.value == pytest.approx(value(X, y, w, b, penalty, lmbd2))
    # SciPy's own accuracy
    assert 0 <= best.relative_gap <= 1e-6
    assert best.kkt is None
    rng = np.random.default_rng(seed)
    for size in (1e-4, 1e-2, 1.0):
        other = certify_by_prox(
            X, y, w + size * rng.standard_normal(6), b, penalty, lmbd2,
            fit_intercept,
        )
        assert other.lower_bound <= best.value
        assert other.value >= best.lower_bound


def fitted(X, y, penalty, lmbd2, fit_intercept, n_iter=60_000):
    """(w, b) by plain proximal gradient, for as long as it moves."""
    A = np.hstack([X, np.full((len(y), 1), float(fit_intercept))])
    step = 1.0 / (0.25 * np.linalg.norm(A, 2) ** 2 + lmbd2)
    x = np.zeros(A.shape[1])
    for _ in range(n_iter):
        before = x.copy()
        s = expit(-y * (A @ x))
        x = x - step * (A.T @ (-y * s) + lmbd2 * np.append(x[:-1], 0.0))
        x[:-1] = penalty.prox(x[:-1], step)
        if np.array_equal(x, before):
            break
    return x[:-1], x[-1] * fit_intercept


@pytest.mark.parametrize("name", ["mcp", "scad"])
@pytest.mark.parametrize("seed", range(4))
def test_violation_goes_to_zero(name, seed):
    X, y = problem(seed)
    lmbd1 = 0.2 * lambda1_max(X, y, bool(seed % 2))
    penalty = make(name, lmbd1, 20.0, len(y))
    lmbd2 = 0.1 * (seed > 1)
    w, b = fitted(X, y, penalty, lmbd2, bool(seed % 2))
    found = stationarity(X, y, w, b, penalty, lmbd2, bool(seed % 2))
    assert found.value == pytest.approx(value(X, y, w, b, penalty, lmbd2))
    assert found.violation <= 1e-11 * lmbd1
    moved = stationarity(
        X, y, w + 1e-4 * (w != 0), b, penalty, lmbd2, bool(seed % 2)
    )
    assert moved.violation > 1e-6 * lmbd1


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", ["mcp", "scad"])
def test_rounding_of_the_violation_is_bounded(name, scale, monkeypatch):
    """Below that of 90 bits it never is."""
    X, y = problem(3, n=300, scale=scale)
    penalty = make(name, 0.1 * lambda1_max(X, y, True), 20.0, len(y))
    rng = np.random.default_rng(0)
    for size in (0.0, 1e-8, 0.1, 1.0):
        w = size * rng.standard_normal(6) / scale
        point = X, y, w, 0.2, module.measure(X)
        _, *rough = module._gradient(*point)
        _, *exact = module._gradient_longer(*point)
        rough = module._violation(*rough, w, penalty, 0.1, True)
        exact = module._violation(*exact, w, penalty, 0.1, True)
        assert exact[0] - exact[1] <= rough[0]
        assert rough[1] <= 1e-9 * rough[0]
        found = stationarity(X, y, w, 0.2, penalty, 0.1, True)
        assert found.violation == pytest.approx(exact[0], rel=1e-9)


@pytest.mark.parametrize("penalty", ["mcp", "tv"])
def test_layouts_agree(penalty):
    X, y = problem(5)
    X[np.abs(X) < 0.4] = 0.0
    w = np.random.default_rng(1).standard_normal(6)
    points = []
    for layout in (
        np.ascontiguousarray, np.asfortranarray, sparse.csr_matrix,
        sparse.csc_matrix,
    ):
        one = objective(l1=0.1, l2=0.3, penalty=penalty)
        skip, reason = set_problem(one, dict(X=layout(X), y=y))
        assert not skip, reason
        attach(one, "data", "tester")
        points += one(dict(coef=w.copy()))
    for point in points[1:]:
        assert point == pytest.approx(points[0], rel=1e-9)


def test_what_is_reported():
    X, y = problem(0)
    kinds = {
        "mcp": {"violation", "relative_violation"},
        "scad": {"violation", "relative_violation"},
        "tv": {"relative_gap", "lower_bound"},
    }
    for penalty, metrics in kinds.items():
        one = objective(l1=0.1, l2=0.3, penalty=penalty)
        set_problem(one, dict(X=X, y=y))
        attach(one, "data", "tester")
        (point,) = one(dict(coef=np.ones(6)))
        assert {name.removeprefix("objective_") for name in point} == {
            "value", "n_nonzeros", *metrics
        }
        with pytest.raises(ValueError, match="tester: F overflows"):
            one(dict(coef=np.full(6, 1e200)))


def test_zero_is_stationary_at_the_maximum():
    X, y = problem(1)
    for penalty in ("mcp", "scad"):
        one = objective(l1=1.0, penalty=penalty)
        set_problem(one, dict(X=X, y=y))
        attach(one, "data", "tester")
        (point,) = one(dict(coef=np.zeros(6)))
        assert point["objective_relative_violation"] <= 1e-12


BAD = {
    "no such": (dict(penalty="lasso", l1=0.1), "penalty=lasso is unknown"),
    "l1": (dict(penalty="l1", l1=0.1), "what l1 and l2 select"),
    "nothing left": (dict(penalty="mcp", l2=1.0), "l1=0 leaves nothing"),
    "gamma": (dict(penalty="mcp", l1=0.1, gamma=0.0), "must be above 0"),
    "gamma of scad": (
        dict(penalty="scad", l1=0.1, gamma=2.0), "must be above 2"
    ),
    "no number": (dict(penalty="mcp", l1=0.1, gamma="a"), "gamma='a'"),
    "tv": (dict(penalty="tv", l1=0.1), "certified by its prox"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_penalties_are_skipped_with_a_reason(case):
    parameters, reason = BAD[case]
    X, y = problem(0)
    skip, said = set_problem(objective(**parameters), dict(X=X, y=y))
    assert skip and reason in said


def test_names_of_old_results_stay():
    assert str(objective(l1=0.1, l2=1.0)) == (
        "Logistic regression[fit_intercept=False,l1=0.1,l2=1.0]"
    )
    assert str(objective(l1=0.1, penalty="mcp", gamma=10.0)) == (
        "Logistic regression[fit_intercept=False,gamma=10.0,l1=0.1,l2=0.0,"
        "penalty=mcp]"
    )


class Plain(BaseSolver):
    """A solver that was written for the plain problem."""

    name = "plain"
    sampling_strategy = "iteration"

    def set_objective(self, X, y, lmbd1, lmbd2, fit_intercept):
        self.shape = X.shape

    def run(self, n_iter):
        pass

    def get_result(self):
        return dict(coef=np.zeros(self.shape[1]))


class Careless(Plain):
    name = "careless"

    def set_objective(self, X, **anything):
        self.shape = X.shape


class Knowing(Plain):
    name = "knowing"

    def set_objective(
        self, X, y, lmbd1, lmbd2, fit_intercept, penalty="", gamma=0.0
    ):
        assert (penalty, gamma) == ("mcp", 20.0)
        self.shape = X.shape


class Ours(LogisticSolver):
    name = "ours"
    sampling_strategy = "iteration"

    def solve(self, n_iter):
        assert (self.penalty, self.gamma) == ("elasticnet", None)
        self.coef = np.zeros(self.X.shape[1])


@pytest.mark.parametrize("cls, reason", [
    (Plain, "not written for penalty=mcp, gamma=20.0"),
    (Careless, "not written for penalty=mcp, gamma=20.0"),
    (Ours, "does not handle the mcp penalty"),
    (Knowing, None),
])
def test_who_does_not_know_a_penalty_is_not_run(cls, reason):
    X, y = problem(0)
    run = run_to_the_end(
        cls.get_instance(), objective(l1=0.1, penalty="mcp"), dict(X=X, y=y)
    )
    if reason is None:
        assert run.skipped is None and len(run.points) > 1
    else:
        assert reason in run.skipped
    if cls is not Knowing:
        plain = run_to_the_end(
            cls.get_instance(), objective(l2=1.0), dict(X=X, y=y)
        )
        assert plain.skipped is None
