"""What the kernels of a sparse fit read and write, by name."""
from typing import NamedTuple

import numpy as np

#: A record, so that compiled code and Python use the same names at the price
#: of an array: 0.6 us a call
STATE = np.dtype([
    # not above F
    ("value", np.float64),
    # how large the error of the gradient may be
    ("noise", np.float64),
    # sum of the curvatures
    ("curvature", np.float64),
    # pairs of L-BFGS kept so far, and its iterations, since it began
    ("pairs", np.int64),
    ("steps", np.int64),
    # of the whole fit: directions with a search along each, passes over X,
    # products with the Hessian
    ("iterations", np.int64),
    ("passes", np.float64),
    ("products", np.float64),
])


class Problem(NamedTuple):
    """Labels and parameters."""

    #: array of shape (n,), -1.0 and +1.0, float64
    y: np.ndarray
    l2: float
    intercept: bool
    #: rounding of a change of the gradient
    unit: float


class Point(NamedTuple):
    """A point and the step from it; the intercept comes last in vectors."""

    #: arrays of shape (p + 1,), float64: coefficients, gradient, direction,
    #: change of the gradient
    w: np.ndarray
    g: np.ndarray
    d: np.ndarray
    change: np.ndarray
    #: arrays of shape (n,), float64: margins, weights, curvatures, and the
    #: curvatures of which the diagonal was made
    m: np.ndarray
    s: np.ndarray
    h: np.ndarray
    h_then: np.ndarray
    #: of the trial of a search
    s_new: np.ndarray
    h_new: np.ndarray
    #: margins of the direction; work space
    dm: np.ndarray
    products: np.ndarray
    scaled: np.ndarray


class Hessian(NamedTuple):
    """B' diag(h) B + diag(ridge), the intercept's row and column last."""

    #: tuple, packed rows
    rows: tuple
    #: array of shape (rows,), float64
    h: np.ndarray
    #: array of shape (p + 1,), float64
    ridge: np.ndarray
    intercept: bool
