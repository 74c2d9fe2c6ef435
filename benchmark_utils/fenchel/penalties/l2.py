"""The squared L2 norm: smooth, shrinks all coefficients."""
import math
from typing import NamedTuple


class L2(NamedTuple):
    """Penalize by r(w) = lmbd w^2 / 2.

    A. E. Hoerl and R. W. Kennard, "Ridge regression", Technometrics 12(1),
    1970, doi:10.1080/00401706.1970.10488634.
    """

    #: lambda2
    lmbd: float

    is_convex = True
    is_separable = True
    is_selectable = False

    @classmethod
    def from_problem(cls, lmbd, gamma, n_samples):
        """Take lambda2; the others do not matter."""
        return cls(float(lmbd))

    def value(self, w):
        return 0.5 * self.lmbd * w * w

    def prox(self, x, step):
        return x / (1.0 + step * self.lmbd)

    def distance(self, w, grad):
        return abs(grad + self.lmbd * w)

    def slope(self, w):
        return self.lmbd * w

    def bend(self, w):
        return self.lmbd

    def dual_bound(self):
        return math.inf if self.lmbd > 0.0 else 0.0

    def conjugate(self, v):
        return 0.5 * v * v / self.lmbd
