"""Hard problems: fit_logistic reaches 1e-8, or says how far float64 lets it.

Every case is certified again by the objective's own certificate.
"""
import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.problem.certificate import certify


def gaussian(n, p, seed=0, rho=0.0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    scores = X @ rng.standard_normal(p) * noise
    y = np.where(rng.random(n) < expit(scores), 1.0, -1.0)
    y[:2] = -1.0, 1.0
    return X, y


def separable(n, p):
    X, _ = gaussian(n, p)
    return X, np.where(X[:, 0] + 0.1 * X[:, -1] > 0, 1.0, -1.0)


def with_columns(n, p, change):
    X, y = gaussian(n, p)
    return change(X), y


def with_an_outlier(X):
    X[17, 3] = 1e7
    return X


def cauchy(n, p):
    rng = np.random.default_rng(1)
    X = rng.standard_cauchy((n, p))
    y = np.where(rng.random(n) < expit(X[:, 0] / 5), 1.0, -1.0)
    return X, y


def one_positive(n, p):
    X, _ = gaussian(n, p)
    y = np.full(n, -1.0)
    y[n // 2] = 1.0
    return X, y


def class_sorted(n, p):
    X, y = gaussian(n, p)
    order = np.argsort(y, kind="stable")
    return X[order], y[order]


def one_hot(n, levels, seed=0, rare=True):
    """Rows with one active level a factor; some levels occur once."""
    rng = np.random.default_rng(seed)
    blocks = []
    for count in levels:
        share = 1.0 / np.arange(1, count + 1) ** (1.5 if rare else 0.0)
        level = rng.choice(count, size=n, p=share / share.sum())
        blocks.append(sparse.csr_matrix(
            (np.ones(n), level, np.arange(n + 1)), shape=(n, count)
        ))
    X = sparse.hstack(blocks, format="csr")
    scores = X @ rng.standard_normal(X.shape[1])
    y = np.where(rng.random(n) < expit(scores), 1.0, -1.0)
    return X, y


def power_law(n, p):
    rng = np.random.default_rng(3)
    lengths = rng.poisson(12, n) + 1
    columns = np.minimum(
        (rng.pareto(0.8, lengths.sum()) * 3).astype(int), p - 1
    )
    X = sparse.csr_matrix(
        (rng.random(lengths.sum()), columns,
         np.concatenate([[0], np.cumsum(lengths)])), shape=(n, p),
    )
    scores = 2 * (X @ rng.standard_normal(p))
    y = np.where(rng.random(n) < expit(scores), 1.0, -1.0)
    return X, y


def sparse_gaussian(n, p, density, seed=0):
    rng = np.random.default_rng(seed)
    X = sparse.random(
        n, p, density, "csr", random_state=rng, data_rvs=rng.standard_normal
    )
    scores = X @ rng.standard_normal(p)
    y = np.where(rng.random(n) < expit(scores), 1.0, -1.0)
    y[:2] = -1.0, 1.0
    return sparse.csr_matrix(X), y


def one_dense_column(n, p):
    X, y = sparse_gaussian(n, p, 0.01)
    dense = sparse.csr_matrix(np.full((n, 1), 5.0))
    return sparse.hstack([dense, X], format="csr"), y


def rows_empty(n, p):
    X, y = sparse_gaussian(n, p, 0.02)
    keep = sparse.diags_array((np.arange(n) % 3 > 0).astype(float))
    return sparse.csr_matrix(keep @ X), y


pytestmark = pytest.mark.slow

SCALES = 10.0 ** np.linspace(-6, 6, 80)
CASES = {
    # name: (data, l2)
    "tiny, tiny l2": (lambda: gaussian(30, 4), 1e-8),
    "tiny separable": (lambda: separable(40, 3), 1e-3),
    "tiny separable, tiny l2": (lambda: separable(40, 3), 1e-8),
    "tiny, one feature": (lambda: gaussian(100, 1), 1.0),
    "tiny, two samples": (lambda: gaussian(2, 2), 0.1),
    "tiny duplicated": (
        lambda: with_columns(60, 5, lambda X: np.hstack([X, X])), 1e-8),
    "tiny, huge margins": (
        lambda: with_columns(60, 5, lambda X: 1e4 * X), 1e-3),
    "tiny, offset": (lambda: with_columns(60, 5, lambda X: X + 100), 1e-4),
    "small separable": (lambda: separable(500, 30), 1e-2),
    "small separable, tiny l2": (lambda: separable(500, 30), 1e-8),
    "small, tiny l2": (lambda: gaussian(500, 30), 1e-8),
    "small duplicated": (
        lambda: with_columns(500, 20, lambda X: np.hstack([X, X])), 1e-8),
    "small, constant and zero columns": (lambda: with_columns(
        500, 20, lambda X: np.hstack(
            [X, np.ones((500, 2)), np.zeros((500, 2))])), 1e-4),
    "small, scales 1e-6 to 1e6": (lambda: with_columns(
        500, 40, lambda X: X * SCALES[::2]), 1.0),
    "small, offset 100": (
        lambda: with_columns(500, 30, lambda X: X + 100), 1.0),
    "small, rho .999": (lambda: gaussian(500, 40, rho=0.999), 1e-4),
    "small Cauchy": (lambda: cauchy(2000, 30), 1.0),
    "small, one positive": (lambda: one_positive(1000, 20), 1.0),
    "small sorted": (lambda: class_sorted(20000, 20), 0.1),
    "small, n >> p": (lambda: gaussian(60000, 5), 1e-3),
    "small, n >> p, offset": (lambda: with_columns(
        40000, 8, lambda X: X + 100), 1e-2),
    "tall": (lambda: gaussian(2000, 100), 1e-8),
    "tall separable": (lambda: separable(3000, 120), 1e-3),
    "tall Cauchy": (lambda: cauchy(4000, 100), 1.0),
    "tall Cauchy, small l2": (lambda: cauchy(4000, 100), 1e-4),
    "tall, scales 1e-6 to 1e6": (
        lambda: with_columns(3000, 80, lambda X: X * SCALES), 1.0),
    "tall, scales and tiny l2": (
        lambda: with_columns(3000, 80, lambda X: X * SCALES), 1e-6),
    "tall, rho .99": (lambda: gaussian(3000, 150, rho=0.99), 1e-3),
    "tall duplicated": (
        lambda: with_columns(2000, 80, lambda X: np.hstack([X, X])), 1e-6),
    "tall, zero columns": (lambda: with_columns(
        2000, 80, lambda X: np.hstack([X, np.zeros((2000, 40))])), 1e-2),
    "tall, offset 100": (
        lambda: with_columns(3000, 100, lambda X: X + 100), 1.0),
    "tall sorted": (lambda: class_sorted(5000, 100), 0.1),
    "tall, one positive": (lambda: one_positive(3000, 100), 0.1),
    "tall, strong signal": (lambda: gaussian(3000, 100, noise=30), 1e-2),
    "wide": (lambda: gaussian(60, 1500), 1.0),
    "wide, tiny l2": (lambda: gaussian(60, 1500), 1e-8),
    "wide, rho .99": (lambda: gaussian(100, 1200, rho=0.99), 1e-2),
    "wide, scales": (lambda: with_columns(
        80, 1200, lambda X: X * 10 ** np.linspace(-3, 3, 1200)), 1.0),
    "wide, huge scales": (lambda: with_columns(
        80, 1200, lambda X: X * 10 ** np.linspace(-6, 6, 1200)), 1.0),
    "wide, one positive": (lambda: one_positive(100, 1200), 1.0),
    "square": (lambda: gaussian(700, 700), 1e-4),
    # more than half a million entries: a copy in half precision
    "large": (lambda: gaussian(4000, 200, rho=0.5), 1e-4),
    "large Cauchy": (lambda: cauchy(6000, 150), 1e-2),
    "large separable": (lambda: separable(4000, 200), 1e-4),
    "large, scales 1e-9 to 1e9": (lambda: with_columns(
        4000, 160, lambda X: X * 10.0 ** np.linspace(-9, 9, 160)), 1.0),
    "large, offset 100": (lambda: with_columns(
        4000, 160, lambda X: X + 100), 1e-2),
    "large, one entry that no half holds": (lambda: with_columns(
        4000, 160, with_an_outlier), 1.0),
    "large duplicated": (lambda: with_columns(
        4000, 100, lambda X: np.hstack([X, X])), 1e-6),
    "large, one positive": (lambda: one_positive(4000, 160), 1e-2),
    "large wide": (lambda: gaussian(150, 5000), 1.0),
    "large wide, tiny l2": (lambda: gaussian(200, 3000), 1e-8),
    "large wide, rho .99": (lambda: gaussian(300, 2500, rho=0.99), 1e-3),
    "large wide Cauchy": (lambda: cauchy(300, 2500), 1e-2),
    "large wide, offset 100": (lambda: with_columns(
        300, 2500, lambda X: X + 100), 1e-2),
    "large wide, one positive": (lambda: one_positive(250, 2500), 0.1),
    "large wide, pairs of rows": (lambda: with_columns(
        300, 2500, lambda X: np.repeat(X[::2], 2, axis=0)), 1e-4),
    "large wide, scales": (lambda: with_columns(
        300, 2500, lambda X: X * 10 ** np.linspace(-3, 3, 2500)), 1e-2),
    "large square": (lambda: gaussian(900, 900, rho=0.9), 1e-3),
    "sparse": (lambda: sparse_gaussian(5000, 3000, 0.003), 1.0),
    "sparse, small l2": (lambda: sparse_gaussian(2000, 1200, 0.006), 1e-4),
    "sparse, tiny l2": (lambda: sparse_gaussian(500, 800, 0.01), 1e-8),
    "sparse, few columns": (lambda: sparse_gaussian(5000, 60, 0.05), 1e-3),
    "sparse one-hot": (lambda: one_hot(8000, [2000, 500, 30]), 1.0),
    "sparse one-hot, small l2": (
        lambda: one_hot(8000, [2000, 500, 30]), 1e-2),
    "sparse one-hot, tiny l2": (
        lambda: one_hot(4000, [1000, 300]), 1e-6),
    "sparse power law": (lambda: power_law(8000, 6000), 1e-1),
    "sparse power law, small l2": (lambda: power_law(8000, 6000), 1e-3),
    "sparse, a dense column": (lambda: one_dense_column(4000, 2000), 1e-2),
    "sparse, empty rows": (lambda: rows_empty(4000, 2000), 1e-2),
    "sparse, scales": (lambda: (
        (X := sparse_gaussian(4000, 80, 0.1))[0] @ sparse.diags_array(
            SCALES, format="csr"), X[1]), 1.0),
}


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_reaches_its_certificate_or_says_how_far(case, fit_intercept):
    make, l2 = CASES[case]
    X, y = make()
    before = X.copy()
    coef, intercept, info = fit_logistic(
        X, y, l2=l2, fit_intercept=fit_intercept
    )
    assert abs(X - before).max() == 0
    point = certify(
        sparse.csr_matrix(X) if sparse.issparse(X) else X, y, coef,
        intercept, 0.0, l2, fit_intercept,
    )
    # what it says of itself is true
    assert info["objective"] == pytest.approx(point.value, rel=1e-9)
    assert point.relative_gap <= 2 * info["relative_gap"] + 1e-12
    assert info["converged"] == (info["relative_gap"] <= 1e-8)
    if not info["converged"]:
        assert "float64" in info["status"], info
        assert info["relative_gap"] <= 1e-3, info


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p, l2", [
    (447, 92, 7e-7), (317, 104, 17.0), (81, 83, 6e-6), (463, 256, 1e-3),
])
def test_offsets_of_a_thousand_spreads(n, p, l2, dtype, copy):
    """Float32 ended at F = 1e57."""
    rng = np.random.default_rng(n)
    for seed in range(3):
        X = 0.01 * rng.standard_normal((n, p)) + 10 * rng.standard_normal(p)
        X = X.astype(dtype)
        m = X @ rng.standard_normal(p)
        m *= 10.0 ** seed / abs(m).mean()
        y = np.where(m + rng.logistic(size=n) > 0, 1.0, -1.0)
        y[:2] = -1.0, 1.0
        for fit_intercept in (False, True):
            w, b, info = fit_logistic(
                X, y, l2=l2, fit_intercept=fit_intercept, float32_copy=copy
            )
            assert info["converged"], info
            point = certify(
                X.astype(float), y, w, b, 0.0, l2, fit_intercept
            )
            assert point.relative_gap <= 2.1e-8


def test_factors_without_progress_end():
    """Their sample was doubled until it overflowed to a division by zero.

    That ended the process.
    """
    rng = np.random.default_rng(14)
    n, p = 447, 92
    X = 0.01 * rng.standard_normal((n, p)) + 10 * rng.standard_normal(p)
    X = X.astype(np.float32)
    m = X @ rng.standard_normal(p)
    m *= 10 ** rng.uniform(-1, 1.5) / abs(m).mean()
    y = np.where(m + rng.logistic(size=n) > 0, 1.0, -1.0)
    y[:2] = -1.0, 1.0
    w, b, info = fit_logistic(X, y, l2=7e-7)
    assert info["converged"], info
    point = certify(X.astype(float), y, w, b, 0.0, 7e-7, False)
    assert point.relative_gap <= 2.1e-8


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("n, p", [
    (600, 60), (400, 120), (150, 700), (200, 3000), (6000, 110),
])
def test_what_is_not_finite_is_found_late(n, p, fit_intercept, bad):
    """By the first gradient, not by a look at all entries before."""
    X, y = gaussian(n, p)
    X[n // 2, p // 3] = bad
    for column in (slice(p // 3, p // 3 + 1), slice(None)):
        with pytest.raises(ValueError, match="NaN or infinity"):
            fit_logistic(X, y, fit_intercept=fit_intercept)
        with pytest.raises(ValueError, match="NaN or infinity"):
            fit_logistic(
                X, y, fit_intercept=fit_intercept, max_iter=0,
                coef_init=np.ones(p),
            )
        X[:, column] = bad
