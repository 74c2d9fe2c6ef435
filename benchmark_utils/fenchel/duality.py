r"""What a duality gap is, and how much of it may be rounding.

For weights :math:`a_i \in [0, 1]` (with an intercept
:math:`\sum_i y_i a_i = 0`) the gap at (w, b) is

.. math::
    \sum_i KL(a_i \| \sigma(-m_i)) + \frac{\|\lambda_2 w - X^\top (y a)\|^2}
    {2 \lambda_2},

where :math:`m_i = y_i (x_i^\top w + b)`. Both terms are sums of squares, and
all that float64 does to them are errors of what is squared: of a product
X'(y a) at most u d |X|_F |a|, where d additions follow each other and u is
2^-53, and of the margins as much with |w|, of which the curvature 1 / 4 takes
half the square. So the gap of the point itself, in exact arithmetic, is at
most `bounded`.

N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 2002,
chapter 3, doi:10.1137/1.9780898718027.
"""
import math

from .compilation import njit

_UNIT = 2.0**-53


@njit
def class_factor(ascent, mass):
    """Return what to scale the heavier class's weights by, and its sign.

    `ascent` is sum_i y_i s_i, `mass` is sum_i s_i.
    """
    heavier = 0.5 * (mass + abs(ascent))
    lighter = max(0.5 * (mass - abs(ascent)), 0.0)
    c = lighter / heavier if heavier > 0.0 else 1.0
    return c, 1.0 if ascent > 0.0 else -1.0


@njit
def bounded(price, square, l2, size, mass, length, depths):
    """Return a bound of the gap in exact arithmetic.

    Parameters
    ----------
    price : float
        The computed sum of the divergences; 0 without an intercept.
    square : float
        The computed |lambda2 w - X'(y a)|^2.
    l2 : float
    size : float
        |X|_F, and with an intercept sqrt(|X|_F^2 + n).
    mass : float
        sum_i a_i, not less than |a|^2.
    length : float
        |(w, b)|.
    depths : tuple of two floats
        How many additions follow each other in a sum over samples and in one
        over features.

    Returns
    -------
    float
    """
    # twice, for weights that were scaled to sum y a = 0 but for rounding;
    # two more for the product itself and the difference from lambda2 w
    noise = 2.0 * (depths[0] + 2.0) * _UNIT * size * math.sqrt(mass)
    shift = 0.5 * (depths[1] + 2.0) * _UNIT * size * length
    # also where the price is no number
    first = shift if price <= 0.0 else math.sqrt(price) + shift
    # the weights of exact margins, which curve by 1 / 4, move X'(y a) by
    # size / 4 times the error of the margins, twice where they are balanced
    second = math.sqrt(square) + noise + size * shift
    return first * first + second * second / (2.0 * l2)
