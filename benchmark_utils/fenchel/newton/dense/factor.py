"""A Cholesky factor of the Hessian, or of one of a sample of the rows.

Rows whose curvature is small are left out, and where many are left a sample
of them, with probabilities by curvature, has the whole matrix as expectation:
a preconditioner, not the Hessian, at the price of 10 rows a column.

R. H. Byrd, G. M. Chin, W. Neveitt and J. Nocedal, "On the use of stochastic
Hessian information in optimization methods for machine learning", SIAM J.
Optim. 21(3), 2011, doi:10.1137/10079923X.
"""
from typing import NamedTuple

import numpy as np

from ...compilation import LOOPS, njit
from ...linalg.cholesky import factorize
from ...linalg.gram import weighted_gram

# Multiply-adds a second by which work is compared (only ratios matter)
GRAM32, GRAM64, CHOLESKY = 9e10, 4.5e10, 1.5e10
# Seconds to choose a row of a factor and to pack one of its entries
ROW, PACKED = 8e-9, 0.4e-9
# Rows whose curvature is below this share of the largest are left out; on
# Gaussian data 60 to 85 % of the rows near the optimum
_INACTIVE = 0.003


class Factor(NamedTuple):
    """A factor of q columns, an intercept last, with its buffers."""

    panel: np.ndarray  # of `weighted_gram`
    C: np.ndarray  # of `weighted_gram`, becomes the factor; panel's dtype
    chosen: np.ndarray  # (2, n), int64: rows that count, and those taken
    scale: np.ndarray  # what the columns were scaled by, (q,)
    ridge: np.ndarray  # what is added to the diagonal, (q,)


@njit(fastmath=LOOPS)
def _sample(h, rows, count, wanted, roots, chosen):
    """Choose rows with probability min(1, c h), and their weights.

    The sampled Gram matrix has the expectation of the whole one. `chosen`
    gets the rows, `roots` the square roots of h over the probability.
    """
    total = 0.0
    for k in range(count):
        total += h[rows[k]]
    c = wanted / total
    for _ in range(3):
        expected = 0.0
        for k in range(count):
            expected += min(1.0, c * h[rows[k]])
        c *= wanted / expected
    taken = 0
    carry = 0.5
    for k in range(count):
        i = rows[k]
        carry += min(1.0, c * h[i])
        if carry >= 1.0:
            carry -= 1.0
            chosen[taken] = i
            roots[taken] = np.sqrt(max(h[i], 1.0 / c))
            taken += 1
    return taken


# h and the CG vectors hold no NaN where this is used, so `nnan` is safe; LLVM
# needs it to vectorise a maximum.
@njit(fastmath=LOOPS | {"nnan"})
def largest_entry(a):
    """Return the largest absolute value."""
    largest = 0.0
    for i in range(a.size):
        largest = max(largest, abs(a[i]))
    return largest


@njit(fastmath=LOOPS)
def make_factor(A, h, intercept, sample, roots, factor):
    """Factor H from the rows that count, or from a sample of them.

    Parameters
    ----------
    A : array of shape (n, p)
    h, roots : arrays of shape (n,), float64; `roots` is work space
    intercept : bool
    sample : int
        Rows at most.
    factor : Factor

    Returns
    -------
    taken : int
        The rows used, negative where there is no factor.
    all_rows : bool
        Whether these were all that count.
    """
    q = factor.scale.size
    p = q - 1 if intercept else q
    rows, chosen = factor.chosen[0], factor.chosen[1]
    limit = _INACTIVE * largest_entry(h)
    # to choose among all of many rows takes longer than to use the chosen
    stride = max(1, h.size // (4 * sample))
    active = np.int64(0)
    for i in range(0, h.size, stride):
        rows[active] = i
        active += h[i] > limit
    taken = min(active, sample)
    # nearly all: a sample of these would save little
    if taken < 0.77 * active:
        taken = _sample(h, rows, active, taken, roots, chosen)
    else:
        taken = active
        for k in range(taken):
            chosen[k] = rows[k]
            roots[k] = np.sqrt(h[rows[k]])
    for k in range(taken):
        roots[k] *= np.sqrt(np.float64(stride))
    weighted_gram(
        A, p, roots, chosen, taken, intercept, factor.panel, factor.C
    )
    if factorize(factor.C, q, factor.ridge, factor.scale) < 0.0:
        return -1, False
    return taken, taken == active and stride == 1
