"""The smoothly clipped absolute deviation: L1, then a bend, then constant."""
import math
from typing import NamedTuple


class SCAD(NamedTuple):
    """Penalize by r(w) with r' = n min(knot, max(gamma knot - |w|, 0) / g).

    Here g = gamma - 1 and knot = lambda1 / n: the slope is lambda1 up to the
    knot, falls to zero at gamma times the knot and stays there.

    J. Fan and R. Li, "Variable selection via nonconcave penalized likelihood
    and its oracle properties", JASA 96(456), 2001,
    doi:10.1198/016214501753382273.
    """

    #: where the slope begins to fall, lambda1 / n
    knot: float
    #: where it is zero, in knots; above 2
    gamma: float
    #: number of samples
    n: float

    is_convex = False
    is_separable = True
    least_gamma = 2.0

    @classmethod
    def from_problem(cls, lmbd, gamma, n_samples):
        """Take lambda1, and gamma on the scale of the mean loss."""
        return cls(lmbd / n_samples, float(gamma), float(n_samples))

    def value(self, w):
        a, g = min(abs(w), self.knot), self.gamma - 1.0
        b = min(max(abs(w) - self.knot, 0.0), g * self.knot)
        return self.n * (self.knot * (a + b) - 0.5 * b * b / g)

    def prox(self, x, step):
        size, step, g = abs(x), step * self.n, self.gamma - 1.0
        near = min(max(size - step * self.knot, 0.0), self.knot)
        if size <= min(1.0 + step, self.gamma) * self.knot:
            best = near
        elif size >= self.gamma * self.knot:
            # x costs half (gamma + 1) knot^2; `near` is another minimum
            # where the bend is more than the square
            best, cost = size, 0.5 * (g + 2.0) * self.knot**2
            if step > g and cost > near * self.knot + (size - near)**2 / (
                2.0 * step
            ):
                best = near
        else:
            best = (g * size - step * self.gamma * self.knot) / (g - step)
        return math.copysign(best, x)

    def distance(self, w, grad):
        if w == 0.0:
            return max(abs(grad) - self.n * self.knot, 0.0)
        return abs(grad + self.slope(w))

    def slope(self, w):
        fall = max(self.gamma * self.knot - abs(w), 0.0) / (self.gamma - 1.0)
        return math.copysign(self.n * min(self.knot, fall), w)

    def bend(self, w):
        inside = self.knot < abs(w) < self.gamma * self.knot
        return -self.n / (self.gamma - 1.0) if inside else 0.0
