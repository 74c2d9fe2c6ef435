"""Total variation: coefficients that are constant piece by piece."""
from typing import NamedTuple

import numpy as np


class TV(NamedTuple):
    """Penalize by r(w) = lmbd sum_j |w_(j+1) - w_j|.

    Its prox is Condat's direct algorithm: it walks along x, keeps the lowest
    and the highest level that the piece begun last may have, and ends the
    piece where they cross; linear time as a rule.

    L. Condat, "A direct algorithm for 1D total variation denoising", IEEE
    Signal Process. Lett. 20(11), 2013, doi:10.1109/LSP.2013.2278339.
    """

    #: lambda1
    lmbd: float

    is_convex = True
    is_separable = False

    @classmethod
    def from_problem(cls, lmbd, gamma, n_samples):
        """Take lambda1; the others do not matter."""
        return cls(float(lmbd))

    def value(self, w):
        return self.lmbd * np.abs(w[1:] - w[:-1]).sum()

    def prox(self, x, step):
        n, bound = x.size, step * self.lmbd
        out = np.empty(n)
        k = first = low_end = high_end = 0
        low, high = x[0] - bound, x[0] + bound
        low_sum, high_sum = bound, -bound
        while True:
            if k == n - 1:
                if low_sum < 0.0:
                    out[first:low_end + 1] = low
                    k = first = low_end = low_end + 1
                    low, low_sum = x[k], bound
                    high_sum = x[k] + bound - high
                elif high_sum > 0.0:
                    out[first:high_end + 1] = high
                    k = first = high_end = high_end + 1
                    high, high_sum = x[k], -bound
                    low_sum = x[k] - bound - low
                else:
                    out[first:] = low + low_sum / (k - first + 1)
                    return out
                continue
            following = x[k + 1]
            if following + low_sum < low - bound:
                out[first:low_end + 1] = low
                k = first = low_end = high_end = low_end + 1
                low, high = x[k], x[k] + 2.0 * bound
                low_sum, high_sum = bound, -bound
            elif following + high_sum > high + bound:
                out[first:high_end + 1] = high
                k = first = low_end = high_end = high_end + 1
                low, high = x[k] - 2.0 * bound, x[k]
                low_sum, high_sum = bound, -bound
            else:
                k += 1
                low_sum += following - low
                high_sum += following - high
                if low_sum >= bound:
                    low += (low_sum - bound) / (k - first + 1)
                    low_sum, low_end = bound, k
                if high_sum <= -bound:
                    high += (high_sum + bound) / (k - first + 1)
                    high_sum, high_end = -bound, k
