"""The minimax concave penalty: L1 near zero, constant for large entries."""
import math
from typing import NamedTuple


class MCP(NamedTuple):
    """Penalize by r(w) = lmbd |w| - curvature w^2 / 2, then by a constant.

    From |w| = lmbd / curvature on it is lmbd^2 / (2 curvature). Not convex.

    C.-H. Zhang, "Nearly unbiased variable selection under minimax concave
    penalty", Ann. Statist. 38(2), 2010, doi:10.1214/09-AOS729.
    """

    #: lambda1
    lmbd: float
    #: minus the second derivative, n / gamma
    curvature: float

    is_convex = False
    is_separable = True

    @classmethod
    def from_problem(cls, lmbd, gamma, n_samples):
        """Take lambda1, and gamma on the scale of the mean loss."""
        return cls(float(lmbd), n_samples / gamma)

    def value(self, w):
        size = min(abs(w), self.lmbd / self.curvature)
        return size * (self.lmbd - 0.5 * self.curvature * size)

    def prox(self, x, step):
        if step * self.curvature >= 1.0:
            # concave all the way: either zero or x itself
            far = self.lmbd * math.sqrt(step / self.curvature)
            return x if abs(x) > far else 0.0
        if abs(x) * self.curvature > self.lmbd:
            return x
        soft = math.copysign(max(abs(x) - step * self.lmbd, 0.0), x)
        return soft / (1.0 - step * self.curvature)

    def distance(self, w, grad):
        if w == 0.0:
            return max(abs(grad) - self.lmbd, 0.0)
        return abs(grad + self.slope(w))

    def slope(self, w):
        size = max(self.lmbd - self.curvature * abs(w), 0.0)
        return math.copysign(size, w)

    def bend(self, w):
        return -self.curvature if abs(w) * self.curvature < self.lmbd else 0.0
