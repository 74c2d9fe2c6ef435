"""The duality gap of a dense problem at a point, and its bound."""
import numpy as np

from ...compilation import LOOPS, njit
from ...duality import bounded, class_factor
from ...linalg.products import CHUNK, SHORT_ROWS, backward, block_rows
from .reads import Gradient, M, R, Rows, S
from .threads import read_by


@njit(fastmath=LOOPS)
def balanced(rows, point, w, l2, part, out):
    """Find what the gap at a point with an intercept consists of.

    The weights of the heavier class are scaled by c until
    sum_i y_i a_i = 0; one more read of X. V[R], part and out are written.

    Returns
    -------
    price, square, mass : float
        sum KL(a_i || s_i), |lambda2 w - X'(y a)|^2 and sum a_i.
    """
    X, y, r = rows.X, rows.y, rows.V[R]
    m, s = rows.V[point + M], rows.V[point + S]
    p = X.shape[1]
    ascent, total = 0.0, 0.0
    for i in range(y.size):
        ascent += y[i] * s[i]
        total += s[i]
    c, sign = class_factor(ascent, total)
    left = np.log1p(-c) if c < 1.0 else 0.0
    log_c = np.log(c) if c > 0.0 else 0.0
    price, mass = 0.0, 0.0
    for i in range(y.size):
        scaled = y[i] * sign > 0.0
        dual = c * s[i] if scaled else s[i]
        r[i] = -y[i] * dual
        mass += dual
        if scaled and c < 1.0:
            x = left - m[i]
            rest = np.log1p(np.exp(-abs(x))) + max(x, 0.0)
            price += max(dual * log_c + (1.0 - dual) * rest, 0.0)
    for j in range(p):
        out[j] = 0.0
    step = block_rows(X)
    for first in range(0, y.size, step):
        backward(X, first, min(first + step, y.size), r, part, out)
    square = 0.0
    for j in range(p):
        square += (out[j] + l2 * w[j]) ** 2
    return price, square, mass


@njit(fastmath=LOOPS)
def sum_of_terms(w, squares, p, n):
    """Bound the norm of |X| |w|, which the rounding of the margins is of.

    By the columns, so that those of other units count with their own
    coefficients. The last p of `squares` are the column sums of X^2; an
    intercept comes last in w.
    """
    total, before = 0.0, squares.size - p
    for j in range(p):
        total += np.sqrt(squares[before + j]) * abs(w[j])
    if w.size > p:
        total += np.sqrt(np.float64(n)) * abs(w[-1])
    return total


@njit
def bounded_gap(X, l2, intercept, squares, terms, parts):
    """Bound the gap in exact arithmetic.

    Parameters
    ----------
    X : array of shape (n, p)
    l2 : float
    intercept : bool
    squares : float
        |X|_F^2.
    terms : float
        Of `sum_of_terms`.
    parts : tuple of three floats
        As of `balanced`.
    """
    n, p = X.shape
    price, square, mass = parts
    size = max(np.sqrt(squares + n if intercept else squares), 1e-300)
    # sums over samples are by blocks, in the longest case one by one inside
    rows = min(block_rows(X), n)
    columns = min(p, max(CHUNK, SHORT_ROWS))
    depths = np.float64(rows + n // rows), np.float64(columns + p // columns)
    return bounded(price, square, l2, size, mass, terms / size, depths)


@njit
def certified(X, y, l2, w, squares):
    """Evaluate F and a bound of its gap at w, an intercept last.

    Parameters
    ----------
    X : array of shape (n, p), C order
    y : array of shape (n,), -1 and +1
    l2 : float
    w : array of shape (p,), or (p + 1,) with an intercept
    squares : float
        |X|_F^2.

    Returns
    -------
    gap, bound, value : float
        The gap as computed, its bound in exact arithmetic, and F.
    """
    n, p = X.shape
    V = np.empty((R + 1, n))
    rows = Rows(X, X, y, V, V[R])
    part, out = np.empty(p), np.zeros(p)
    b = w[p] if w.size > p else 0.0
    loss, _, _, _ = read_by(None, rows, Gradient(w, b, 0), part, out)
    price, square, norm, mass = 0.0, 0.0, 0.0, 0.0
    for j in range(p):
        square += (out[j] + l2 * w[j]) ** 2
        norm += w[j] * w[j]
    if w.size > p:
        price, square, mass = balanced(rows, 0, w, l2, part, out)
    else:
        for i in range(n):
            mass += V[S, i]
    terms = np.sqrt(squares) * np.sqrt(norm)
    if w.size > p:
        terms += np.sqrt(np.float64(n)) * abs(w[p])
    return (
        price + square / (2.0 * l2),
        bounded_gap(
            X, l2, w.size > p, squares, terms, (price, square, mass)
        ),
        loss + 0.5 * l2 * norm,
    )
