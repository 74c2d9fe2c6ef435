r"""Preconditioned L-BFGS for dense data: one read of X an iteration.

Each iteration takes a direction from the last pairs, searches along it on
the margins, and updates the gradient by its *change*,

.. math::
    g(w + t d) = g(w) - X^\top (y (s_{new} - s_{old})) + \lambda_2 t d,

whose rounding is relative to the change. So products run on a copy of X in
float32 or in halves, with a float64 gradient only where g has come near the
noise of its updates.

The initial matrix is the diagonal, until as many passes are spent as a
Cholesky factor costs; then it is the factor, made anew by the same rule. That
never takes more than about twice the time of the better choice, and asks
nothing about the condition of the problem in advance.

J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp.
35, 1980, doi:10.1090/S0025-5718-1980-0572855-7.
"""
import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import assign
from ...result import ITERATION_LIMIT, NEEDS_CARE, NOISY, REACHED, SLOW
from .factor import (
    CHOLESKY,
    GRAM32,
    GRAM64,
    PACKED,
    ROW,
    Factor,
    make_factor,
)
from .reads import THEN, H, Rows
from .start import (
    measure_columns,
    read_first,
    set_gradient,
    set_inverse,
    start_elsewhere,
)
from .state import (
    RIDGE,
    SCALE,
    ZOOM,
    G,
    Vectors,
    W,
    begin,
    certify,
    evaluate_at,
    state_of,
)
from .steps import (
    GO_ON,
    GOAL,
    find_direction,
    pairs_of,
    step_to_certify,
    take_step,
)

# More factors than a fit needs that makes progress (1 to 6): 1000 iterations
# and 215 factors have led nowhere
_MOST_FACTORS = 30
# Iterations after a factor of all rows at the present curvatures: such a
# factor needs 3 to 6, so its numbers are not right
_MOST_FRESH = 15
# Change of the curvatures up to which a factor counts as the present one's
_SAME = 0.05
# Exact points in a row whose gap is above a quarter of the least one
_PATIENCE = 4


@njit(fastmath=LOOPS)
def _changed(h, h_then):
    """Return the sum of |h - h_then| as a share of the sum of h_then."""
    change = 0.0
    total = 0.0
    for i in range(h.size):
        change += abs(h[i] - h_then[i])
        total += h_then[i]
    return change / total if total > 0.0 else 1.0


@njit(fastmath=LOOPS)
def measure(p, vectors, state):
    """Set value, gap and what they consist of, from the gradient."""
    g, w, l2 = vectors.F[G], vectors.F[W], state.l2
    square, norm = 0.0, 0.0
    for j in range(p):
        square += g[j] * g[j]
        norm += w[j] * w[j]
    state.square = square
    state.gap = square / (2.0 * l2)
    state.value = state.loss + 0.5 * l2 * norm
    state.slope_b = (
        g[p] * g[p] / state.total_h if state.intercept else 0.0
    )
    state.total = state.gap + state.slope_b


@njit(fastmath=LOOPS)
def _judge(rows, vectors, state):
    """Find whether the descent ends here, or NOISY, or goes on.

    The loss is the sum of the weights, a lower bound, where it is not exact.
    """
    if state.exact:
        set_gradient(rows.X.shape[1], vectors, state)
    measure(rows.X.shape[1], vectors, state)
    goal = state.aim * state.value
    done = state.gap <= GOAL * goal and state.slope_b <= goal
    if not state.gap < np.inf:
        return NEEDS_CARE
    if not state.exact:
        size = np.sqrt(state.square + state.slope_b * state.total_h)
        if done or not size > state.noise or state.n_iter >= state.max_iter:
            return NOISY
        return GO_ON
    at_limit = state.n_iter >= state.max_iter
    if done or at_limit:
        certify(rows, vectors, state, state.at, vectors.F[W])
    if done:
        if state.gap <= state.tol * state.value:
            return REACHED
        state.aim *= 0.1
        state.failures += 1
    elif not state.square + state.slope_b > 0.0:
        return NEEDS_CARE
    if state.total > 0.25 * state.best:
        state.failures += 1
    else:
        state.failures = 0
    # in halves, an exact point has to bring more
    half = rows.A.itemsize == 2
    if half and state.total > 0.1 * state.best or (
        state.failures == _PATIENCE
    ):
        return NEEDS_CARE
    state.best = min(state.best, state.total)
    return ITERATION_LIMIT if at_limit else GO_ON


@njit(fastmath=LOOPS)
def _refactor(rows, vectors, factor, state):
    """Make a factor where as many passes are spent as it costs."""
    n, q = rows.y.size, vectors.F.shape[1]
    # passes that are left at this rate
    left, goal = 4.0, state.tol * state.value
    if state.since >= 2 and state.total > goal:
        rate = np.log(state.first_total / state.total) / state.since
        left = np.log(state.total / goal) / max(rate, 1e-3)
    if (
        not state.factored and state.spent >= state.budget
        and left > 0.5 * state.budget
    ):
        return SLOW
    if not state.direct:
        return GO_ON
    rate = GRAM32 if factor.C.itemsize == 4 else GRAM64
    # rows that count: about 8 / n of the sum of h each, on Gaussian data
    active = min(n * min(1.0, 8.0 * state.total_h / n), state.sample)
    cost = (
        active * (q * q / (2 * rate) + PACKED * q + ROW)
        + q**3 / (6 * CHOLESKY) + min(n, 4 * state.sample) * ROW
    ) / state.pass_cost
    h, h_then = rows.V[state.at + H], rows.V[THEN]
    fresh = state.all_rows and _changed(h, h_then) < _SAME
    if fresh:
        return NEEDS_CARE if state.since >= _MOST_FRESH else GO_ON
    # a start from elsewhere is near enough for a factor at once
    if (state.factored or state.at_zero) and not (
        state.spent >= cost and left > cost + 2.0
    ):
        return GO_ON
    taken, state.all_rows = make_factor(
        rows.A, h, state.intercept != 0.0, int(state.sample),
        rows.V[3 - state.at], factor,
    )
    state.factors += 1
    if taken < 0 or state.factors == _MOST_FACTORS:
        return NEEDS_CARE
    scale, zoom = vectors.F[SCALE], vectors.F[ZOOM]
    for j in range(rows.A.shape[1]):
        scale[j] *= zoom[j]
    state.factored = 1
    state.sample = min(2 * state.sample, n)
    assign(h, h_then)
    state.pairs = state.since = 0
    state.spent = state.last = 0.0
    state.first_total = state.total
    return GO_ON


@njit(fastmath=LOOPS)
def _iterate(threads, rows, vectors, pairs, factor, state):
    """Take steps until an end; returns its status."""
    while True:
        status = _judge(rows, vectors, state)
        if status == NOISY:
            state.loss, state.grad_b, state.total_h = evaluate_at(
                threads, rows, vectors, state, vectors.F[W]
            )
            state.at = 3 - state.at
            state.exact = 1
            continue
        if status == GO_ON:
            if state.first_total < 0.0:
                state.first_total = state.total
            state.exact = 0
            status = _refactor(rows, vectors, factor, state)
        if status != GO_ON:
            return status
        state.n_iter += 1
        if not find_direction(vectors, pairs, factor, state):
            if state.pairs == 0:
                return NEEDS_CARE
            state.pairs = 0
            continue
        if -0.5 * state.slope <= state.loose * state.value:
            return REACHED
        if not step_to_certify(threads, rows, vectors, pairs, state):
            status = take_step(threads, rows, vectors, pairs, state)
        if status != GO_ON:
            return status


@njit
def result_of(status, state):
    """Return what a descent tells: status, gap, value and counts."""
    gap = state.gap
    if status == REACHED or status == ITERATION_LIMIT:
        gap = state.bound
    return (
        status, gap, state.value, state.n_iter, state.n_passes, state.factors
    )


@njit(fastmath=LOOPS)
def descend(threads, data, coefficients, memory, buffers):
    """Minimise F from w.

    Parameters
    ----------
    threads : int or None
        None for one (see `dense.threads`).
    data : tuple of five arrays
        Of `reads.Rows`. X serves exact gradients; A is X itself or, where
        state.copy, an array that is written.
    coefficients : tuple of four arrays
        Those of `state.Vectors`. F[W], the start, becomes the solution;
        F[ZOOM] and F[UNZOOM] are given, and the column sums of X^2 where the
        start is not zero. Then an array of shape (2, MEMORY), c's dtype.
    memory : array of float64
        Of one `state.STATE`, what is given of it.
    buffers : tuple of three arrays
        `panel` and C of `weighted_gram`, and `chosen`, of shape (2, n) and
        int64; empty where not state.direct.

    Returns
    -------
    status : int
    gap, value : float
        A bound of the gap in exact arithmetic and F at w, where the status is
        REACHED or ITERATION_LIMIT; else the last that was known.
    n_iter, n_passes, factors : int
    """
    X, A, y, V, c = data
    F, K, both, scalars = coefficients
    n, p = X.shape
    state = state_of(memory)
    begin(state)
    rows, vectors = Rows(X, A, y, V, c), Vectors(F, K, both)
    panel, C, chosen = buffers
    factor = Factor(panel, C, chosen, F[SCALE], F[RIDGE])
    if state.at_zero:
        read_first(threads, rows, vectors, state)
    else:
        start_elsewhere(threads, rows, vectors, state)
    set_inverse(p, n, vectors, state)
    for j in range(p):
        F[RIDGE, j] = state.l2 * F[ZOOM, j] ** 2
    for j in range(p, F.shape[1]):
        F[RIDGE, j] = 0.0
    assign(V[state.at + H], V[THEN])
    status = NEEDS_CARE
    if measure_columns(p, n, vectors, state) or A.itemsize > 2:
        status = _iterate(
            threads, rows, vectors, pairs_of(vectors, scalars), factor, state
        )
    return result_of(status, state)
