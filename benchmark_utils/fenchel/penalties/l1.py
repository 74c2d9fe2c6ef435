"""The L1 norm: sparse coefficients by a convex penalty."""
import math
from typing import NamedTuple


class L1(NamedTuple):
    """Penalize by r(w) = lmbd |w|.

    R. Tibshirani, "Regression shrinkage and selection via the lasso", J. R.
    Stat. Soc. B 58(1), 1996, doi:10.1111/j.2517-6161.1996.tb02080.x.
    """

    #: lambda1
    lmbd: float

    is_convex = True
    is_separable = True
    is_selectable = False

    @classmethod
    def from_problem(cls, lmbd, gamma, n_samples):
        """Take lambda1; the others do not matter."""
        return cls(float(lmbd))

    def value(self, w):
        return self.lmbd * abs(w)

    def prox(self, x, step):
        return math.copysign(max(abs(x) - step * self.lmbd, 0.0), x)

    def distance(self, w, grad):
        if w == 0.0:
            return max(abs(grad) - self.lmbd, 0.0)
        return abs(grad + math.copysign(self.lmbd, w))

    def slope(self, w):
        return math.copysign(self.lmbd, w)

    def bend(self, w):
        return 0.0

    def dual_bound(self):
        return self.lmbd

    def conjugate(self, v):
        return 0.0
