"""The elastic net: L1 for sparsity, a square for stability."""
import math
from typing import NamedTuple


class ElasticNet(NamedTuple):
    """Penalize by r(w) = lmbd |w| + ridge w^2 / 2.

    H. Zou and T. Hastie, "Regularization and variable selection via the
    elastic net", J. R. Stat. Soc. B 67(2), 2005,
    doi:10.1111/j.1467-9868.2005.00503.x.
    """

    #: lambda1
    lmbd: float
    #: lambda2
    ridge: float

    is_convex = True
    is_separable = True
    is_selectable = False

    @classmethod
    def from_problem(cls, lmbd, gamma, n_samples):
        """Take lambda1, and lambda2 in the place of gamma."""
        return cls(float(lmbd), float(gamma))

    def value(self, w):
        return self.lmbd * abs(w) + 0.5 * self.ridge * w * w

    def prox(self, x, step):
        size = max(abs(x) - step * self.lmbd, 0.0)
        return math.copysign(size / (1.0 + step * self.ridge), x)

    def distance(self, w, grad):
        if w == 0.0:
            return max(abs(grad) - self.lmbd, 0.0)
        return abs(grad + self.slope(w))

    def slope(self, w):
        return math.copysign(self.lmbd, w) + self.ridge * w

    def bend(self, w):
        return self.ridge

    def dual_bound(self):
        return math.inf if self.ridge > 0.0 else self.lmbd

    def conjugate(self, v):
        outside = max(abs(v) - self.lmbd, 0.0)
        return 0.5 * outside * outside / self.ridge if outside > 0.0 else 0.0
