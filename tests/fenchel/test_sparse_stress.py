"""Hard sparse problems: certified 1e-8, or a status that says how far."""
import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.problem.certificate import certify
from sparse_fits import certificate, fit_sparse

TOL = 1e-8


def gaussian(rng, n=400, p=60, density=0.1):
    return sparse.random(
        n, p, density, random_state=rng, data_rvs=rng.standard_normal,
        format="csr",
    )


def labels(rng, X, scale=1.0, shift=0.0):
    z = X @ rng.standard_normal(X.shape[1])
    z = scale * z / max(z.std(), 1e-300) + shift
    y = np.where(rng.random(len(z)) < expit(z), 1.0, -1.0)
    y[:2] = 1.0, -1.0
    return y


def separable(rng):
    X = gaussian(rng)
    return X, np.where(X @ rng.standard_normal(60) > 0, 1.0, -1.0)


def nearly_separable(rng):
    X, y = separable(rng)
    y[:3] *= -1
    return X, y


def duplicated_columns(rng):
    X = gaussian(rng)
    X = sparse.hstack([X, X, X]).tocsr()
    return X, labels(rng, X)


def constant_and_zero_columns(rng):
    X = gaussian(rng).tolil()
    X[:, 4] = 1.0
    X[:, 5] = -1e3
    X[:, 6:20] = 0.0
    X = X.tocsr()
    return X, labels(rng, X)


def empty_rows(rng):
    X = sparse.vstack([gaussian(rng), sparse.csr_matrix((300, 60))]).tocsr()
    return X, labels(rng, X)


def column_scales(rng):
    X = gaussian(rng, 600, 60) @ sparse.diags_array(
        10.0 ** rng.uniform(-6, 6, 60)
    )
    X = sparse.csr_matrix(X)
    y = labels(rng, gaussian(rng, 600, 60))
    return X, y


def one_positive(rng):
    X = gaussian(rng)
    y = -np.ones(400)
    y[17] = 1.0
    return X, y


def class_sorted(rng):
    X = gaussian(rng)
    order = np.argsort(labels(rng, X))
    return X[order], np.sort(labels(rng, X))


def power_law(rng):
    n, p = 500, 3000
    probabilities = 1.0 / np.arange(1, p + 1) ** 1.1
    columns = rng.choice(
        p, n * 20, p=probabilities / probabilities.sum()
    )
    X = sparse.csr_matrix(
        (np.ones(n * 20), (np.repeat(np.arange(n), 20), columns)), (n, p)
    )
    return X, labels(rng, X)


def one_dense_column(rng):
    X = gaussian(rng).tolil()
    X[:, 3] = 5.0 + rng.standard_normal(400)[:, None]
    X = X.tocsr()
    return X, labels(rng, X)


def cauchy(rng):
    X = gaussian(rng)
    X.data = rng.standard_cauchy(X.nnz)
    return X, labels(rng, X)


def rare_categories(rng):
    n = 3000
    parts = []
    for levels in (5, 100, 1500):
        share = 1.0 / np.arange(1, levels + 1) ** 1.2
        parts.append(sparse.csr_matrix(
            (np.ones(n),
             (np.arange(n), rng.choice(levels, n, p=share / share.sum()))),
            (n, levels),
        ))
    X = sparse.hstack(parts).tocsr()
    return X, labels(rng, X, 1.5)


def wide(rng):
    X = gaussian(rng, 80, 5000, 0.02)
    return X, labels(rng, X)


def tall(rng):
    X = gaussian(rng, 20000, 8, 0.3)
    return X, labels(rng, X)


def correlated(rng):
    common = gaussian(rng, 400, 1, 0.5)
    X = sparse.hstack([common] * 30) + 1e-3 * gaussian(rng, 400, 30)
    X = sparse.csr_matrix(X)
    return X, labels(rng, X)


def smallest(rng):
    return sparse.csr_matrix([[1.0], [2.0]]), np.array([1.0, -1.0])


def huge_entries(rng):
    X = gaussian(rng)
    return X * 1e25, labels(rng, X)


def mixed_magnitudes(rng):
    X = gaussian(rng)
    X.data *= 10.0 ** rng.uniform(-40, 3, X.nnz)
    return X, labels(rng, X)


def no_entries(rng):
    return sparse.csr_matrix((30, 4)), np.r_[-np.ones(10), np.ones(20)]


def contradictory(rng):
    X = gaussian(rng, 200)
    X = sparse.vstack([X, X]).tocsr()
    return X, np.r_[np.ones(200), -np.ones(200)]


def nearly_dense(rng):
    X = gaussian(rng, 300, 50, 0.8)
    return X, labels(rng, X)


PROBLEMS = [
    separable, nearly_separable, duplicated_columns,
    constant_and_zero_columns, empty_rows, column_scales, one_positive,
    class_sorted, power_law, one_dense_column, cauchy, rare_categories, wide,
    tall, correlated, smallest, huge_entries, mixed_magnitudes, no_entries,
    contradictory, nearly_dense,
]


@pytest.mark.matrix(40)
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("l2", [1e-8, 1e-4, 0.01, 1.0, 100.0])
@pytest.mark.parametrize("make", PROBLEMS)
def test_certified_or_said(make, l2, fit_intercept):
    X, y = make(np.random.default_rng(0))
    coef, intercept, info = fit_sparse(X, y, l2, fit_intercept, TOL)
    assert np.isfinite(coef).all() and np.isfinite(intercept)
    value, gap = certificate(X, y, coef, intercept, l2, fit_intercept)
    relative = min(gap / value, 1.0)
    # what is claimed is what NumPy finds, to the rounding of both
    assert relative <= 1.01 * info["relative_gap"] + rounding(
        X, y, coef, l2, value
    )
    assert info["converged"] == (info["relative_gap"] <= TOL)
    if not info["converged"]:
        assert info["status"] == "stopped at the accuracy that float64 allows"
        least = rounding(X, y, coef, l2, value)
        if info["stalled"]:
            # the gap cannot be below what the rounding of v = X' a leaves
            assert least > 1e-3 * info["relative_gap"]
        else:
            # it was reached, but rounding might be more
            assert relative <= 1.01 * TOL + least


def rounding(X, y, coef, l2, value):
    """The relative gap of a gradient of nothing but rounding."""
    size = abs(X).T @ np.ones(len(y)) + l2 * abs(coef)
    w_rounding = abs(X).T @ (abs(X) @ abs(coef))
    error = 1e-16 * (size + w_rounding)
    # and the logarithms in the certificate of an intercept
    # 1e-15: the logarithms of a balanced certificate
    return (error @ error) / (2 * l2) / value + 1e-15 + 1e-15


@pytest.mark.parametrize("n, p", [(257, 139), (1349, 86), (220, 107)])
def test_rows_of_six_decades(n, p):
    """What stalls on sparse products is gone on with as a dense problem."""
    rng = np.random.default_rng(n)
    for l2 in (1e-3, 1e-1):
        X = sparse.random(
            n, p, 0.05, random_state=rng, format="csr",
            data_rvs=rng.standard_normal,
        )
        scales = sparse.diags(10.0 ** rng.uniform(-3, 3, n))
        X = sparse.csr_matrix(scales @ X)
        score = X @ rng.standard_normal(p) + rng.logistic(size=n)
        y = np.where(score > 0, 1.0, -1.0)
        before = X.copy()
        w, b, info = fit_logistic(X, y, l2=l2, fit_intercept=True)
        assert info["converged"], info
        assert certify(X, y, w, b, 0.0, l2, True).relative_gap <= 2.1e-8
        assert (X != before).nnz == 0
