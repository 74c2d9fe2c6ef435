r"""The duality gap in longer arithmetic, for what float64 cannot tell.

Where columns are large and lambda2 is small, the rounding of X'(y a) in
float64, divided by lambda2, is more than a tolerance. NumPy's longdouble has
64 bits of significand on x86 and 113 or 106 elsewhere (where it has no more
than float64 the bound says so). Blocks of rows, plain NumPy: it is asked for
rarely, once a fit.
"""
import numpy as np
from scipy import sparse

_LONG = np.longdouble
_UNIT = float(np.finfo(_LONG).eps)
# Entries that are converted at once: 16 MB
_BLOCK = 2**20


def _blocks(X):
    """Yield (rows, those rows of X in longdouble), dense, block by block.

    Of a sparse matrix only the columns that a block of rows touches: then
    (rows, block, columns).
    """
    n, p = X.shape
    if not sparse.issparse(X):
        step = max(1, _BLOCK // p)
        for first in range(0, n, step):
            rows = slice(first, first + step)
            yield rows, X[rows].astype(_LONG), slice(None)
        return
    step = max(1, min(n, _BLOCK * n // max(X.nnz, 1)))
    for first in range(0, n, step):
        rows = slice(first, first + step)
        yield rows, X[rows].tocoo(), None


def _times(block, columns, w):
    """Multiply a block by w."""
    if columns is not None:
        return (block * w).sum(axis=1)
    out = np.zeros(block.shape[0], _LONG)
    np.add.at(out, block.row, block.data.astype(_LONG) * w[block.col])
    return out


def _transposed(block, columns, c, out):
    """Add block' c to out."""
    if columns is not None:
        # rows of the copy: NumPy adds them pairwise, columns one by one
        out += np.ascontiguousarray((block * c[:, None]).T).sum(axis=1)
    else:
        np.add.at(out, block.col, block.data.astype(_LONG) * c[block.row])


def gap_at(X, y, l2, coef, intercept, fit_intercept):
    """Compute F and a bound of its duality gap at a point.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, n_features)
    y : array of shape (n_samples,), -1.0 and +1.0
    l2 : float, > 0
    coef : array of shape (n_features,), float64
    intercept : float
    fit_intercept : bool

    Returns
    -------
    gap, value : float
        The gap is a bound in exact arithmetic.
    """
    n, p = X.shape
    w, b = coef.astype(_LONG), _LONG(intercept)
    margins, size = np.empty(n, _LONG), _LONG(0.0)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for rows, block, columns in _blocks(X):
            margins[rows] = y[rows] * (_times(block, columns, w) + b)
            entries = block if columns is not None else block.data
            size += (entries.astype(_LONG) ** 2).sum()
        e = np.exp(-np.abs(margins))
        weights = np.where(margins > 0, e, 1.0) / (1.0 + e)
        value = (np.log1p(e) + np.maximum(-margins, 0.0)).sum()
        value += 0.5 * _LONG(l2) * (w @ w)
        price, mass = _LONG(0.0), weights.sum()
        if fit_intercept:
            price = balance(y, margins, weights)
        v = np.zeros(p, _LONG)
        for rows, block, columns in _blocks(X):
            _transposed(block, columns, (y * weights)[rows], v)
        left = _LONG(l2) * w - v
        depth = n + p
        if not sparse.issparse(X):
            # by 8 of at most 128, pairwise from there, and block by block
            depth = 40 + 2 * np.log2(n + p) + n * p // _BLOCK
        unit = _LONG(2.0 * (depth + 2) * _UNIT)
        noise = unit * np.sqrt(size * mass)
        if fit_intercept:
            # what is left of sum y a would be taken out of a class
            left_over = np.abs((y * weights).sum()) + unit * mass
            noise += left_over * np.sqrt(size / max(mass, 1e-300))
        # b apart from w: of timestamps both are large, and cancel
        shift = unit * (np.sqrt(size * (w @ w)) + np.sqrt(_LONG(n)) * abs(b))
        second = np.sqrt(left @ left) + noise
        gap = (np.sqrt(price) + shift) ** 2 + second**2 / (2 * _LONG(l2))
    # the last conversion may round down
    return float(gap) * (1.0 + 1e-15), float(value)


def balance(y, margins, weights):
    """Scale the heavier class, in place, to sum y a = 0; return the price.

    All in the precision of `weights`.
    """
    positive = y > 0
    masses = weights[~positive].sum(), weights[positive].sum()
    c = min(masses) / max(masses) if max(masses) > 0 else 1.0
    if not c < 1:
        return 0.0 * masses[0]
    heavy = positive == (masses[1] > masses[0])
    dual = c * weights[heavy]
    rest = np.logaddexp(0.0, np.log1p(-c) - margins[heavy])
    terms = (1.0 - dual) * rest + (dual * np.log(c) if c > 0 else 0.0)
    weights[heavy] = dual
    return np.maximum(terms, 0.0).sum()
