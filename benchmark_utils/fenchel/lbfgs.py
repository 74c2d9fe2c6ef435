"""The pairs of L-BFGS, for vectors in float32 or float64.

J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp.
35, 1980, doi:10.1090/S0025-5718-1980-0572855-7.
"""
import numpy as np

from .compilation import LOOPS, njit
from .datafits.margins import add, dot_in

# Pairs that are kept
MEMORY = 8


@njit(fastmath=LOOPS)
def add_pair(t, d, change, size, inverse, S, Y, rho, pairs):
    """Keep the step t d and the change of the gradient as the next pair.

    Both are divided by the norm of the change, `size`, so that float32 holds
    them.

    Returns
    -------
    float
        Barzilai and Borwein's scale for the initial matrix `inverse`; 0.0
        where the pair has no positive curvature and is not one, -1.0 where
        nothing changed.
    """
    if not 0.0 < size < np.inf:
        return -1.0
    i = pairs % MEMORY
    curved = 0.0
    scaled = 0.0
    t /= size
    size = 1.0 / size
    for j in range(d.size):
        S[i, j] = t * d[j]
        Y[i, j] = size * change[j]
        curved += np.float64(S[i, j]) * Y[i, j]
        scaled += inverse[j] * np.float64(Y[i, j]) * Y[i, j]
    if not curved > 0.0:
        return 0.0
    rho[i] = 1.0 / curved
    return curved / scaled


@njit(fastmath=LOOPS)
def before_inverse(u, S, Y, rho, alpha, pairs):
    """The first loop of Nocedal's recursion, from the newest pair on.

    Then u is to be multiplied by the initial inverse, and `after_inverse`
    makes it the product with the inverse that the pairs define.
    """
    for k in range(pairs - 1, max(pairs - 1 - MEMORY, -1), -1):
        i = k % MEMORY
        alpha[i] = rho[i] * dot_in(S[i], u)
        add(-alpha[i], Y[i], u)


@njit(fastmath=LOOPS)
def after_inverse(u, S, Y, rho, alpha, pairs):
    """The second loop; leaves the coefficients of the steps S in alpha."""
    for k in range(max(pairs - MEMORY, 0), pairs):
        i = k % MEMORY
        alpha[i] -= rho[i] * dot_in(Y[i], u)
        add(alpha[i], S[i], u)
