"""What a descent on dense data is given, and what it knows between steps."""
from typing import NamedTuple

import numpy as np
from numba import from_dtype
from numba.core import cgutils
from numba.extending import intrinsic

from ...compilation import LOOPS, njit
from ...lbfgs import MEMORY
from .certificate import balanced, bounded_gap, sum_of_terms
from .reads import Gradient, S
from .threads import read_by

_FLOAT, _INT = np.float64, np.int64

#: What Python gives, all of float64
GIVEN = (
    "l2", "tol",
    "loose",  # stop where a step is to lower F by this share only
    "pass_cost",  # seconds of a read of A, by a model
    "budget",  # passes without a factor, then SLOW
    "max_iter",
    "sample",  # rows of a factor at most
    "intercept",
    "direct",  # factors may be made
    "wide",  # start with a multiple of the identity
    "copy",  # A is to be filled
    "at_zero",  # the start is zero
)
#: One record, which compiled code changes in place; 8 bytes each
STATE = np.dtype([(name, _FLOAT) for name in GIVEN] + [
    # the point
    ("at", _INT),  # which one of V is the present one, 0 or 3
    ("loss", _FLOAT),  # or a lower bound, the sum of the weights
    ("grad_b", _FLOAT),
    ("total_h", _FLOAT),
    ("value", _FLOAT),
    ("square", _FLOAT),  # |g|^2 without the intercept's entry
    ("slope_b", _FLOAT),  # what the intercept's entry stands for in the gap
    ("gap", _FLOAT),
    ("total", _FLOAT),  # gap + slope_b
    ("bound", _FLOAT),  # of the gap in exact arithmetic
    ("exact", _INT),  # all of it was computed from X at w
    ("noise", _FLOAT),  # of g, by its updates
    # the direction
    ("size", _FLOAT),
    ("slope", _FLOAT),
    ("quadratic", _FLOAT),  # lambda2 d'd
    ("gamma", _FLOAT),  # scale of the initial matrix
    ("trusted", _INT),  # the last step was near 1
    ("last", _FLOAT),  # `total` one iteration ago
    # how it goes
    ("aim", _FLOAT),  # tol, or less where the balanced gap was larger
    ("best", _FLOAT),  # least exact `total`
    ("failures", _INT),  # exact points without progress
    ("pairs", _INT),
    ("row_norm", _FLOAT),  # root mean square of the norms of the rows
    ("squares", _FLOAT),  # |X|_F^2
    ("first_total", _FLOAT),  # since the last factor
    ("since", _INT),  # iterations since then
    ("spent", _FLOAT),  # passes since then
    ("factored", _INT),
    ("factors", _INT),
    ("all_rows", _INT),  # the factor is of all rows that count
    # counts
    ("n_iter", _INT),
    ("n_passes", _INT),
])

#: Rows of `Vectors.F`. Coefficients with an intercept last, the gradient of
#: F, the direction, the change of the gradient, another point, the initial
#: matrix of L-BFGS (a diagonal), and work space for reads
W, G, D, CHANGE, TRIAL, INVERSE, PART = range(7)
#: ... what the columns of A were multiplied by and its inverse; what is added
#: to the diagonal of a factor, and what its columns were scaled by
ZOOM, UNZOOM, RIDGE, SCALE = range(7, 11)
#: Rows of `Vectors.K`: a direction, as A is multiplied by it, work space for
#: reads and of the factor, then the pairs of L-BFGS
U, ALONG, SHORT, WORK, PAIRS = range(5)


class Vectors(NamedTuple):
    """What belongs to the coefficients, a row each, and work space."""

    F: np.ndarray  # (11, q), float64
    K: np.ndarray  # (4 + 2 MEMORY, q), c's dtype
    both: np.ndarray  # (2 p,): gradient of the loss, column sums of X^2


def rows_of_vectors():
    """Return how many rows F and K have."""
    return SCALE + 1, PAIRS + 2 * MEMORY


@intrinsic
def state_of(typingctx, memory):
    """Return the `STATE` at the beginning of an array of float64.

    A view takes numba half a second to compile.
    """
    record = from_dtype(STATE)

    def codegen(context, builder, signature, args):
        parts = cgutils.create_struct_proxy(signature.args[0])(
            context, builder, value=args[0]
        )
        return builder.bitcast(parts.data, context.get_value_type(record))

    return record(memory), codegen


@njit
def begin(state):
    """Set what a descent begins with."""
    state.aim, state.best, state.first_total = state.tol, np.inf, -1.0
    state.at = state.failures = state.pairs = state.since = state.factors = 0
    state.n_iter = state.n_passes = state.factored = state.all_rows = 0
    state.noise = state.spent = state.last = 0.0
    state.exact, state.trusted = 1, state.at_zero == 0.0
    state.value = state.gap = state.bound = np.inf
    state.gamma = 1.0


@njit(fastmath=LOOPS)
def evaluate_at(threads, rows, vectors, state, x):
    """Compute the other point of V and the gradient of the loss from X at x.

    The gradient is in `both`.

    Returns
    -------
    loss, grad_b, total_h : float
    """
    p = rows.X.shape[1]
    for j in range(p):
        vectors.both[j] = 0.0
    b = x[p] if state.intercept else 0.0
    loss, grad_b, total_h, _ = read_by(
        threads, rows, Gradient(x, b, 3 - state.at), vectors.F[PART],
        vectors.both,
    )
    state.n_passes += 1
    return loss, grad_b, total_h


@njit(fastmath=LOOPS)
def certify(rows, vectors, state, point, x):
    """Set the gap and its bound at x, from V and `square` of X at x."""
    s = rows.V[point + S]
    price, square, mass = 0.0, state.square, 0.0
    if state.intercept:
        price, square, mass = balanced(
            rows, point, x, state.l2, vectors.F[PART], vectors.F[CHANGE]
        )
        state.n_passes += 1
    else:
        for i in range(s.size):
            mass += s[i]
    state.gap = price + square / (2.0 * state.l2)
    terms = sum_of_terms(x, vectors.both, rows.X.shape[1], s.size)
    state.bound = bounded_gap(
        rows.X, state.l2, state.intercept, state.squares, terms,
        (price, square, mass),
    )


@njit(fastmath=LOOPS)
def shorten(p, vectors, state):
    """Set the direction by its norm as A takes it; returns its shift."""
    v, unzoom = vectors.K[ALONG], vectors.F[UNZOOM]
    d, change, size = vectors.F[D], vectors.F[CHANGE], state.size
    for j in range(p):
        v[j] = d[j] / size * unzoom[j]
    for j in range(d.size):
        change[j] = 0.0
    return d[p] / size if state.intercept else 0.0
