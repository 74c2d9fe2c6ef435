r"""The duality gap in longer arithmetic, for what float64 cannot tell.

Where columns are large and lambda2 is small, the rounding of X'(y a) in
float64, divided by lambda2, is more than a tolerance. NumPy's longdouble has
64 bits of significand on x86 and 113 or 106 elsewhere (where it has no more
than float64 the bound says so). Blocks of rows, plain NumPy: it is asked for
rarely, once a fit.
"""
import math

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


def gap_at(
    X, y, l2, coef, intercept, fit_intercept, penalty=None, counts=None
):
    """Compute F and a bound of its duality gap at a point.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, n_features)
    y : array of shape (n_samples,), -1.0 and +1.0
    l2 : float
    coef : array of shape (n_features,), float64
    intercept : float
    fit_intercept : bool
    penalty : NamedTuple, optional
        A separable penalty beside lambda2's (`fenchel.penalties`).
    counts : array of shape (n_samples,), optional
        What each sample counts.

    Returns
    -------
    gap, value : float
        The gap is a bound in exact arithmetic; where the penalty is not
        convex, of the largest violation of stationarity.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        margins, weights, value, squares = _evaluate(
            X, y, coef, intercept, counts
        )
        value += 0.5 * _LONG(l2) * (coef.astype(_LONG) ** 2).sum()
        if penalty is not None:
            value += sum(map(penalty.value, coef[coef != 0.0].tolist()))
        convex = penalty is None or penalty.is_convex
        factors = _LONG(1.0), _LONG(1.0)
        if fit_intercept and convex:
            factors = _class_factors(y, weights)
        residual = y * np.where(y > 0, *factors) * weights
        v = _product(X, residual)
        norms, unit = np.sqrt(squares), _LONG(_depth(X) * _UNIT)
        # b apart from w: of timestamps both are large, and cancel
        shift = unit * (norms @ np.abs(coef.astype(_LONG)))
        shift += unit * np.sqrt(_LONG(len(y))) * abs(_LONG(intercept))
        heaviest = 1.0 if counts is None else counts.max()
        # |a|^2 is at most this
        mass = max(heaviest * weights.sum(), _LONG(1e-300))
        noises = unit * np.sqrt(mass) * norms
        slope = abs(residual.sum())
        if not convex:
            # of the margins, at sigmoid's slope of 1 / 4 at most
            noises += 0.25 * heaviest * shift * norms
            slope = float(slope + unit * mass) if fit_intercept else 0.0
            far = _violation(penalty, l2, coef, v, noises)
            return max(far, slope), float(value)
        if fit_intercept:
            # what is left of sum y a would be taken out of a class
            left = heaviest * (slope + unit * mass)
            noises += left / np.sqrt(mass) * norms
        gap = value
        scales = [1.0] if penalty is None else _scales(penalty, l2, v, noises)
        for c in scales:
            price = _divergence(y, margins, weights, counts, *(
                c * factor for factor in factors
            ))
            if penalty is None:
                left = _LONG(l2) * coef.astype(_LONG) - v
                left = np.abs(left) + noises
                rest = left @ left / (2 * _LONG(l2))
            else:
                rest = _penalty_gap(penalty, l2, coef, c * v, c * noises)
            price = (np.sqrt(price) + np.sqrt(heaviest) * shift) ** 2
            gap = min(gap, price + rest)
    # the last conversion may round down
    return float(gap) * (1.0 + 1e-15), float(value)


def _evaluate(X, y, coef, intercept, counts):
    """Compute margins, dual variables, the loss, squares of columns."""
    w, b = coef.astype(_LONG), _LONG(intercept)
    margins, squares = np.empty(len(y), _LONG), np.zeros(len(w), _LONG)
    for rows, block, columns in _blocks(X):
        margins[rows] = y[rows] * (_times(block, columns, w) + b)
        if columns is not None:
            squares += np.ascontiguousarray(block.T**2).sum(axis=1)
        else:
            np.add.at(squares, block.col, block.data.astype(_LONG) ** 2)
    e = np.exp(-np.abs(margins))
    weights = np.where(margins > 0, e, 1.0) / (1.0 + e)
    losses = np.log1p(e) + np.maximum(-margins, 0.0)
    if counts is not None:
        weights, losses = counts * weights, counts * losses
    return margins, weights, losses.sum(), squares


def _product(X, residual):
    """Compute X' residual."""
    v = np.zeros(X.shape[1], _LONG)
    for rows, block, columns in _blocks(X):
        _transposed(block, columns, residual[rows], v)
    return v


def _depth(X):
    """Return twice how many roundings follow each other in a product."""
    n, p = X.shape
    if sparse.issparse(X):
        return 2.0 * (n + p + 2)
    # by 8 of at most 128, pairwise from there, and block by block
    return 2.0 * (42 + 2 * math.log2(n + p) + n * p // _BLOCK)


def balance(y, margins, weights):
    """Scale the heavier class, in place, to sum y a = 0; return the price.

    All in the precision of `weights`.
    """
    factors = _class_factors(y, weights)
    price = _divergence(y, margins, weights, None, *factors)
    weights *= np.where(y > 0, *factors)
    return price


def _class_factors(y, weights):
    """Return what to scale the classes +1, -1 by, so that sum y a = 0."""
    positive, negative = weights[y > 0].sum(), weights[y <= 0].sum()
    if not positive + negative > 0:
        return 1.0, 1.0
    if positive > negative:
        return negative / positive, 1.0
    return 1.0, positive / negative


def _divergence(y, margins, weights, counts, up, down):
    """Sum KL(c s || s), where c is `up` for the class +1 and `down` for -1.

    Of samples that count other than 1, that often, of s over their count.
    """
    total = 0.0
    for c, rows in (up, y > 0), (down, y <= 0):
        if not c < 1:
            continue
        dual = c * weights[rows]
        rest = np.logaddexp(0.0, np.log1p(-c) - margins[rows])
        most = 1.0 if counts is None else counts[rows]
        terms = (most - dual) * rest + (dual * np.log(c) if c > 0 else 0.0)
        total += np.maximum(terms, 0.0).sum()
    return total


def _scales(penalty, l2, v, noises):
    """Return what to try to scale a dual point by: 1, and into r*'s domain."""
    bound = penalty.dual_bound() if hasattr(penalty, "dual_bound") else 0.0
    free = l2 > 0.0 or bound == np.inf
    largest = (np.abs(v) + noises).max()
    c = _LONG(bound) / largest if largest > bound else _LONG(1.0)
    return [_LONG(1.0)] * free + [c] * (0.0 < bound < np.inf)


def _penalty_gap(penalty, l2, coef, v, noises):
    """Sum R(w) + R*(v) - v w over coefficients, R with lambda2's part."""
    total = size = 0.0
    for w, x, noise in _floats(coef, v, noises):
        size += abs(w * x)
        # a convex function of x: the largest is at an end
        ends = x - noise, x + noise
        total += max(0.0, *(_young(penalty, l2, w, end) for end in ends))
    return total + 2.0**-50 * size


def _young(penalty, l2, w, x):
    """Return R(w) + R*(x) - x w."""
    if l2 > 0.0:
        best = penalty.prox(x / l2, 1.0 / l2)
        return penalty.value(w) - penalty.value(best) + (w - best) * (
            0.5 * l2 * (w + best) - x
        )
    return penalty.value(w) + penalty.conjugate(x) - x * w


def _violation(penalty, l2, coef, v, noises):
    """Return how far the coefficients are from stationary, at most."""
    return max(
        penalty.distance(w, x) + noise
        for w, x, noise in _floats(coef, l2 * coef - v, noises)
    )


def _floats(coef, v, noises):
    """Iterate over all in float64, its rounding added to the noises."""
    noises = noises + _LONG(2.0**-52) * np.abs(v)
    return zip(*(
        values.astype(np.float64).tolist() for values in (coef, v, noises)
    ), strict=True)
