"""What the kernels of small problems claim, against longer arithmetic.

A gap that is told bounds how far F is from its minimum, in exact arithmetic;
F is that of the coefficients; nothing ends above its start.
"""
import numpy as np
import pytest

from benchmark_utils.fenchel.newton.small.batch import (
    finish,
    fit_many,
    pack_problems,
)
from benchmark_utils.fenchel.newton.small.fit import fit_small
from benchmark_utils.fenchel.result import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    REACHED,
)
from claims import LONG, least_value, oracle


def check(X, y, x, l2, intercept, relative, value):
    """Hold what a fit says of x against longer arithmetic.

    Returns whether that was able to tell.
    """
    n, p = X.shape
    X, y, x, l2 = (np.asarray(one, dtype=LONG) for one in (X, y, x, l2))
    w, b = x[:p], x[p] if intercept else LONG(0)
    with np.errstate(all="ignore"):
        exact, gap, *_ = oracle(X, y, w, b, l2, intercept)
        # margins of 1e9 are known to 1e-7 only, however F is computed
        noise = 1e-14 * (abs(X) @ abs(w) + abs(b)).sum()
        assert abs(value - exact) <= 1e-12 * exact + noise
        assert exact <= n * np.log(LONG(2)) * (1 + LONG(1e-12))
        claimed = relative * (1 + 1e-9) * exact + 1e-15 * exact
        if relative >= 1.0 or min(gap, exact) <= claimed:
            return True
        # another dual point, of other rounding, allowed for less
        bound = least_value(X, y, w, b, l2, intercept)
        return exact - bound <= claimed


KINDS = {
    "normal": lambda r, X: X,
    "scales": lambda r, X: X * 10.0 ** r.uniform(-8, 8, X.shape[1]),
    "rows": lambda r, X: X * 10.0 ** r.uniform(-4, 4, (len(X), 1)),
    "twice": lambda r, X: X[:, r.integers(0, X.shape[1], X.shape[1])],
    "polynomial": lambda r, X: np.vander(
        r.uniform(0.5, 2.0) * np.linspace(-1, 1, len(X)), r.integers(2, 30)
    ),
    "outlier": lambda r, X: np.concatenate(
        [X[:-1], X[-1:] * 10.0 ** r.uniform(2, 8)]
    ),
    "offset": lambda r, X: X + 10.0 ** r.uniform(0, 9),
    "cauchy": lambda r, X: r.standard_cauchy(X.shape),
    "tiny": lambda r, X: X * 1e-8,
    "huge": lambda r, X: X * 1e8,
}


def random_problem(r, kind):
    n, p = int(r.integers(3, 60)), int(r.integers(1, 14))
    if r.random() < 0.2:
        n = int(r.integers(100, 700))
    X = np.ascontiguousarray(KINDS[kind](r, r.standard_normal((n, p))))
    y = np.where(r.random(n) < r.choice([0.5, 0.2, 0.02]), 1.0, -1.0)
    y[:2] = -1.0, 1.0
    wide = r.random() < 0.5
    l2 = 10.0 ** (r.uniform(-12, 12) if wide else r.uniform(-4, 2))
    return X, y, l2, bool(r.integers(2)), r.choice([1e-4, 1e-8, 1e-12])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_claimed_is_true(kind):
    r = np.random.default_rng(sum(map(ord, kind)))
    ends, unknown = [], 0
    for _ in range(250):
        X, y, l2, intercept, tol = random_problem(r, kind)
        x = np.zeros(X.shape[1] + intercept)
        _, _, _, status, relative, value = fit_small(X, y, l2, tol, 300, x)
        ends.append(status)
        unknown += not check(X, y, x, l2, intercept, relative, value)
    assert set(ends) <= {REACHED, FLOAT64_LIMIT}
    assert ends.count(REACHED) >= (150 if kind == "offset" else 225)
    # where Newton's method does not end in longer arithmetic either
    assert unknown <= 2


@pytest.mark.parametrize("degree", [22, 24, 26, 30])
@pytest.mark.parametrize("l2", [1e-10, 1e-8, 1e-6])
def test_polynomials(degree, l2):
    """They were certified with a gap of 1, and ended at F = 1e20."""
    t = np.linspace(-1, 1, 200)
    y = np.where(np.sin(7 * t) + np.cos(50 * t) > 0, 1.0, -1.0)
    X = np.vander(2 * t, degree)
    for intercept in (False, True):
        x = np.zeros(degree + intercept)
        *_, relative, value = fit_small(X, y, l2, 1e-8, 1000, x)
        assert check(X, y, x, l2, intercept, relative, value)


@pytest.mark.parametrize("start", [0.0, 3.0, -1e3])
@pytest.mark.parametrize("max_iter", [0, 1, 5])
def test_few_iterations_end_no_higher_than_they_began(max_iter, start):
    r = np.random.default_rng(0)
    for p in (1, 2, 5, 20):
        X, y, *_ = random_problem(r, "scales")
        X = X[:, :1] * np.ones(p) + r.standard_normal((len(X), p))
        x = np.full(p, start)
        first = np.logaddexp(0, -y * (X @ x)).sum() + 0.5 * 1e-3 * x @ x
        *_, status, relative, value = fit_small(
            X, y, 1e-3, 1e-10, max_iter, x
        )
        now = np.logaddexp(0, -y * (X @ x)).sum() + 0.5 * 1e-3 * x @ x
        assert value == pytest.approx(now, rel=1e-9)
        assert value <= first * (1 + 1e-12)
        assert status in (REACHED, ITERATION_LIMIT)


@pytest.mark.parametrize("intercept", [False, True])
def test_a_batch_tells_the_truth_and_is_finished(intercept):
    r = np.random.default_rng(1)
    problems = [
        random_problem(r, kind)[:2] for kind in KINDS for _ in range(5)
    ]
    batch = pack_problems(*zip(*problems, strict=True))
    result = coef, intercepts, info = fit_many(
        batch, l2=1e-3, fit_intercept=intercept, tol=1e-12
    )
    unknown = 0
    for k, (X, y) in enumerate(problems):
        x = coef[slice(*batch.feature_offsets[k:k + 2])]
        x = np.append(x, intercepts[k]) if intercept else x
        gap = info["relative_gap"][k]
        value = float(oracle(
            X.astype(LONG), y.astype(LONG), x[:X.shape[1]].astype(LONG),
            LONG(intercepts[k]), LONG(1e-3), intercept,
        )[0])
        unknown += not check(X, y, x, 1e-3, intercept, gap, value)
    assert unknown <= 1
    asked = []

    def fit(k, X, y):
        asked.append(len(y))
        return np.zeros(X.shape[1]), 7.0, {
            "relative_gap": 0.5, "converged": True, "n_iter": 3,
        }

    failed = np.flatnonzero(~info["converged"])
    finish(batch, result, fit)
    assert asked == [len(problems[k][1]) for k in failed]
    assert info["converged"].all()
    assert (intercepts[failed] == 7.0).all()
