"""The pairs of L-BFGS, for vectors in float32 or float64.

J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp.
35, 1980, doi:10.1090/S0025-5718-1980-0572855-7.
"""
from typing import NamedTuple

import numpy as np

from .compilation import LOOPS, njit
from .datafits.margins import add, dot_in

# Pairs that are kept of dense data
MEMORY = 8


class Pairs(NamedTuple):
    """Steps and what they changed the gradient by; pair k is row k % memory.

    Each is divided by the norm of the change, so that float32 holds them.
    """

    S: np.ndarray  # steps, (memory, q)
    Y: np.ndarray  # changes of the gradient, (memory, q)
    rho: np.ndarray  # 1 / s'y, (memory,)
    alpha: np.ndarray  # work space, (memory,)


@njit(fastmath=LOOPS)
def add_pair(t, d, change, inverse, pairs, count):
    """Keep the step t d and the change of the gradient as pair `count`.

    Returns
    -------
    float
        Barzilai and Borwein's scale for the initial matrix `inverse`; 0.0
        where the pair has no positive curvature and is not one, -1.0 where
        nothing changed.
    """
    size = 0.0
    for j in range(d.size):
        size += change[j] * change[j]
    size = np.sqrt(size)
    if not 0.0 < size < np.inf:
        return -1.0
    i = count % pairs.rho.size
    S, Y = pairs.S[i], pairs.Y[i]
    curved = 0.0
    scaled = 0.0
    t /= size
    size = 1.0 / size
    for j in range(d.size):
        S[j] = t * d[j]
        Y[j] = size * change[j]
        curved += np.float64(S[j]) * Y[j]
        scaled += inverse[j] * np.float64(Y[j]) * Y[j]
    if not curved > 0.0:
        return 0.0
    pairs.rho[i] = 1.0 / curved
    return curved / scaled


@njit(fastmath=LOOPS)
def before_inverse(u, pairs, count):
    """Run the first loop of Nocedal's recursion, from the newest pair on.

    Then u is to be multiplied by the initial inverse, and `after_inverse`
    makes it the product with the inverse that the pairs define.
    """
    memory = pairs.rho.size
    for k in range(count - 1, max(count - 1 - memory, -1), -1):
        i = k % memory
        pairs.alpha[i] = pairs.rho[i] * dot_in(pairs.S[i], u)
        add(-pairs.alpha[i], pairs.Y[i], u)


@njit(fastmath=LOOPS)
def after_inverse(u, pairs, count):
    """Run the second loop; leaves the coefficients of the steps in alpha."""
    memory = pairs.rho.size
    for k in range(max(count - memory, 0), count):
        i = k % memory
        pairs.alpha[i] -= pairs.rho[i] * dot_in(pairs.Y[i], u)
        add(pairs.alpha[i], pairs.S[i], u)
