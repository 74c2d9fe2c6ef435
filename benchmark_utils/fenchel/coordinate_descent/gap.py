r"""How far a point is from the optimum, for any separable convex penalty.

With a dual point a in [0, 1]^n (where there is an intercept, with
sum y a = 0) and v = X'(y a) the gap is a sum of Fenchel-Young terms, none of
them negative:

.. math::
    \sum_i KL(a_i \| \sigma(-m_i)) + \sum_j [R(w_j) + R^*(v_j) - v_j w_j].

R is the penalty with lambda2's square. For lambda2 > 0 its conjugate is
attained at prox_{r / lambda2}(v / lambda2), so that the prox is enough for
every penalty; for lambda2 = 0 the penalty says where r* is finite, and a is
scaled until v is there (Kim et al. 2007, doi:10.1109/JSTSP.2007.910971).

Rounding is added: v_j is known to 2 u d_j |x_j| |a|, where d_j additions
follow each other, the margins to u d sum_j |x_j| |w_j| in norm (see
`fenchel.duality`).
"""
import math

from ..compilation import njit
from ..datafits.logistic import divergence

_UNIT = 2.0**-53


@njit
def margin_errors(norms, w, n, depth):
    """Bound the norm of the rounding of n margins, the intercept last in w.

    `norms` are those of columns; `depth` is the number of additions in a row.
    """
    length = math.sqrt(n) * abs(w[norms.size])
    for j in range(norms.size):
        length += norms[j] * abs(w[j])
    return (depth + 2.0) * _UNIT * length


@njit
def young(penalty, l2, w, v):
    """Return R(w) + R*(v) - v w of one coefficient."""
    if l2 > 0.0:
        best = penalty.prox(v / l2, 1.0 / l2)
        return penalty.value(w) - penalty.value(best) + (w - best) * (
            0.5 * l2 * (w + best) - v
        )
    return penalty.value(w) + penalty.conjugate(v) - v * w


@njit
def penalty_gap(problem, w, grad, c, noises):
    """Return the sum of the Fenchel-Young terms of (w, -c grad).

    `grad` (p,) is the loss's; `noises` (p,) is how far c grad may be off.
    """
    penalty, l2 = problem.penalty, problem.l2
    total = size = 0.0
    for j in range(problem.k):
        v, noise = -c * grad[j], c * noises[j]
        # a convex function of v: the largest is at an end
        total += max(
            0.0, young(penalty, l2, w[j], v - noise),
            young(penalty, l2, w[j], v + noise),
        )
        size += abs(w[j] * v)
    return total + 4.0 * _UNIT * size


@njit
def duality_gap(problem, point, grad, scales, facts, value):
    """Return the duality gap of a point, rounding included.

    Parameters
    ----------
    problem : Problem
        Of all columns.
    point : Point
        Margins and weights s; its w in all columns is not used but given
        by `facts`.
    grad : array of shape (p,)
        -X'(y a), where a = s times a factor a class.
    scales : tuple (up, down)
        Those factors.
    facts : tuple (w, norms, noises, depth)
        Coefficients with the intercept; norms of columns; how far `grad`
        may be off; the number of additions in a row of X.
    value : float
        F, which the gap never exceeds.
    """
    w, norms, noises, depth = facts
    p, bound = problem.k, problem.penalty.dual_bound()
    largest = 0.0
    for j in range(p):
        largest = max(largest, abs(grad[j]) + noises[j])
    # c KL grows by c / 8 of the square; c is at most heaviest^2
    shift = 0.5 * problem.heaviest * margin_errors(
        norms, w, point.m.size, depth
    )
    up, down = scales
    gap = value
    if problem.l2 > 0.0 or bound == math.inf:
        price = math.sqrt(divergence(
            problem.y, point.m, point.s, up, down, problem.weights
        ))
        gap = min(gap, (price + shift)**2 + penalty_gap(
            problem, w, grad, 1.0, noises
        ))
    if 0.0 < bound < math.inf:
        c = min(1.0, bound / largest) if largest > 0.0 else 1.0
        if c < 1.0 or problem.l2 == 0.0:
            price = math.sqrt(divergence(
                problem.y, point.m, point.s, c * up, c * down,
                problem.weights,
            ))
            gap = min(gap, (price + shift)**2 + penalty_gap(
                problem, w, grad, c, noises
            ))
    return gap
