"""Problems with separable penalties that tests share, and naive values."""
import numpy as np
from scipy import sparse

from benchmark_utils.fenchel import penalties
from benchmark_utils.fenchel.coordinate_descent import fit as by_coordinates
from benchmark_utils.fenchel.result import Problem

L1 = penalties.load("l1")
MCP, SCAD = penalties.load("mcp"), penalties.load("scad")


def problem(n, p, seed=0, rho=0.0):
    """Draw Gaussian columns, correlated by rho, and noisy labels."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X += np.sqrt(rho / (1.0 - rho)) * rng.standard_normal((n, 1))
    coef = rng.standard_normal(p) * (rng.random(p) < 10.0 / p)
    z = X @ coef + rng.logistic(size=n)
    return X, np.where(z > 0.0, 1.0, -1.0)


def packed(X):
    """Return the three arrays of a CSR matrix as the kernels take them."""
    X = sparse.csr_matrix(X)
    return (
        X.data.astype(np.float64), X.indices.astype(np.uint32),
        X.indptr.astype(np.uint64),
    )


def fit(X, y, penalty, l2=0.0, intercept=False, tol=1e-9, start=None,
        max_iter=500):
    """Fit dense or sparse X; return coefficients and what was reported."""
    x = np.zeros(X.shape[1] + 1) if start is None else start
    found, *told = by_coordinates.fit(
        Problem(X, y, l2, intercept, tol, max_iter, True, 1.0, penalty),
        x[:X.shape[1] + intercept],
    )
    return np.append(found, [0.0] * (not intercept)), told


def total(X, y, w, penalty, l2):
    """F, in NumPy; the intercept is the last coefficient."""
    m = y * (X @ w[:-1] + w[-1])
    value = np.logaddexp(0.0, -m).sum() + 0.5 * l2 * (w[:-1] @ w[:-1])
    return value + sum(penalty.value(float(one)) for one in w[:-1])


def violation(X, y, w, penalty, l2, intercept):
    """The largest distance of stationarity, in NumPy's longest numbers."""
    X = X.toarray() if sparse.issparse(X) else X
    X, w = X.astype(np.longdouble), np.asarray(w, np.longdouble)
    m = y * (X @ w[:-1] + w[-1])
    r = -y * np.exp(-np.logaddexp(0.0, m))
    grad = X.T @ r + l2 * w[:-1]
    far = [penalty.distance(float(a), float(g)) for a, g in zip(w, grad)]
    return float(max([*far, abs(r.sum()) if intercept else 0.0]))
