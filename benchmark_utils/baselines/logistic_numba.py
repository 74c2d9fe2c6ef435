"""The functions of `loss` for compiled code.

`log_loss`, `dual_weights` and `curvature` are overloaded: the same lines
that call them in plain Python call the loops below when numba compiles them.
"""
import math

import numpy as np
from numba import njit
from numba.extending import overload

from benchmark_utils.problem.loss import curvature, dual_weights, log_loss


@njit(cache=True)
def loss_at(margin):
    """log(1 + exp(-m)) of one margin, for any finite float64."""
    if margin > 0:
        return math.log1p(math.exp(-margin))
    return math.log1p(math.exp(margin)) - margin


@njit(cache=True)
def weight_at(margin):
    """sigmoid(-m) of one margin, to full relative accuracy."""
    if margin > 0:
        e = math.exp(-margin)
        return e / (1.0 + e)
    return 1.0 / (1.0 + math.exp(margin))


@njit(cache=True)
def curvature_at(margin):
    """sigmoid(m) sigmoid(-m), to full relative accuracy on both sides."""
    e = math.exp(-abs(margin))
    return e / (1.0 + e) ** 2


@overload(log_loss)
def _log_loss(margins):
    def loop(margins):
        total = 0.0
        for m in margins:
            total += loss_at(m)
        return total

    return loop


@overload(dual_weights)
def _dual_weights(margins):
    def loop(margins):
        out = np.empty(len(margins))
        for i in range(len(margins)):
            out[i] = weight_at(margins[i])
        return out

    return loop


@overload(curvature)
def _curvature(margins):
    def loop(margins):
        out = np.empty(len(margins))
        for i in range(len(margins)):
            out[i] = curvature_at(margins[i])
        return out

    return loop
