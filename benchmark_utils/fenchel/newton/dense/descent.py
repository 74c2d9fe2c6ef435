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
from ...datafits.margins import assign, dot
from ...lbfgs import (
    MEMORY,
    Pairs,
    add_pair,
    after_inverse,
    before_inverse,
)
from ...linalg.cholesky import solve
from ...linalg.half_precision import LARGEST
from ...line_search import search
from ...result import (
    ITERATION_LIMIT,
    NEEDS_CARE,
    NOISY,
    NOT_HERE,
    REACHED,
    SLOW,
)
from .factor import (
    CHOLESKY,
    GRAM32,
    GRAM64,
    PACKED,
    ROW,
    Factor,
    make_factor,
)
from .products import Along, Change, FirstRead, Rows, Trial, exchanged
from .state import STATE, certify, evaluate_at, new_vectors, shorten
from .threads import read_by

#: no end yet
GO_ON = NOT_HERE
_L2_CACHE = 1_000_000
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
# A start is scaled where the best multiple of it is this far from 1
_WRONG_LENGTH = 0.02
# Rounding of halves: 2e-4 of an entry, twice that to be safe (the error of a
# gradient was 0.2 to 0.5 of what this gives)
HALF = 4e-4
# Rounding of a read of A that is not in halves, relative to the change: ten
# times the unit, for sums of thousands
_UNIT32, _UNIT64 = 3e-7, 1e-14
# The slope that a step may leave: of a trial that is taken without a search,
# of a search, of a step to a point that is to be certified
_TAKEN, _SEARCHED, CERTIFIED = 0.4, 0.3, 0.5
# The gap aimed at, as a share of what is asked for: the certificate with the
# balanced dual point takes a little more than the gap without
GOAL = 0.8


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
def read_first(threads, rows, vectors, state):
    """Take margins and the gradient at w = 0, `squares`, and fill A."""
    m, s, h, y = rows.m, rows.s, rows.h, rows.y
    p = vectors.exact.size
    both = np.zeros(2 * p)
    read_by(
        threads, rows, FirstRead(state.copy, vectors.zoom), vectors.part, both
    )
    assign(both[:p], vectors.exact)
    assign(both[p:], vectors.squares)
    state.n_passes += 1
    n = rows.y.size
    grad_b = 0.0
    for i in range(n):
        m[i], s[i], h[i] = 0.0, 0.5, 0.25
        grad_b -= 0.5 * y[i]
    state.grad_b = grad_b
    state.loss, state.total_h = n * np.log(2.0), 0.25 * n


@njit(fastmath=LOOPS)
def measure_columns(vectors, state, n):
    """Set |X|_F^2 and `row_norm`; returns whether halves can hold A."""
    squares, zooms = vectors.squares, vectors.zoom
    total, held = 0.0, True
    for j in range(vectors.squares.size):
        square = squares[j]
        total += square
        zoom = zooms[j]
        held = held and square * zoom * zoom < LARGEST * LARGEST
    state.squares = total
    state.row_norm = np.sqrt(total / n)
    return held


@njit(fastmath=LOOPS)
def _start_elsewhere(threads, rows, vectors, state):
    """Evaluate at w, or at the best multiple of w, in the new of rows.

    The length of a start is often wrong: a part of the rows is nearly
    separable.
    """
    h_new, dm = rows.h_new, rows.dm
    w, l2 = vectors.w, state.l2
    p = vectors.exact.size
    state.loss, state.grad_b, state.total_h = evaluate_at(
        threads, rows, vectors, state, w
    )
    m, s = rows.m_new, rows.s_new
    norm = dot(w[:p], w[:p])
    slope, bend = l2 * norm - dot(s, m), l2 * norm
    for i in range(m.size):
        bend += h_new[i] * m[i] * m[i]
    # Newton's step along w: shorter where the slope is positive
    if not abs(slope) > _WRONG_LENGTH * bend:
        return
    sign = 1.0 if slope < 0.0 else -1.0
    for i in range(m.size):
        dm[i] = sign * m[i]
    t, _, _ = search(
        m, dm, s, (sign * slope, l2 * norm), 0.1, rows.s, rows.h
    )
    for j in range(w.size):
        w[j] *= 1.0 + sign * t
    state.loss, state.grad_b, state.total_h = evaluate_at(
        threads, rows, vectors, state, w
    )


@njit(fastmath=LOOPS)
def _set_inverse(vectors, state, n):
    """Set the initial matrix: the diagonal, or a multiple of the identity."""
    squares = vectors.squares
    at_zero, wide = state.at_zero, state.wide
    l2, total_h = state.l2, state.total_h
    p, inverse = vectors.exact.size, vectors.inverse
    total = 0.0
    for j in range(p):
        inverse[j] = squares[j] if at_zero else 1.0
        total += inverse[j]
    for j in range(p):
        square = total / n if wide else inverse[j]
        inverse[j] = 1.0 / (total_h / n * square + l2)
    if state.intercept:
        # where all margins are huge, 1 / total_h is no step for an intercept
        inverse[p] = 1.0 / max(total_h, 1e-8 * n)
    state.gamma = 1.0


@njit(fastmath=LOOPS)
def _measure(vectors, state):
    """Set value, gap and what they consist of, from the gradient."""
    exact = vectors.exact
    g, w, l2 = vectors.g, vectors.w, state.l2
    p = vectors.exact.size
    if state.exact:
        for j in range(p):
            g[j] = exact[j] + l2 * w[j]
        if state.intercept:
            g[p] = state.grad_b
        state.noise = 0.0
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
def _judge(rows, vectors, state, half):
    """Find whether the descent ends here, or NOISY, or goes on.

    The loss is the sum of the weights, a lower bound, where it is not exact.
    """
    _measure(vectors, state)
    goal = state.aim * state.value
    done = state.gap <= GOAL * goal and state.slope_b <= goal
    if not state.gap < np.inf:
        return NEEDS_CARE
    if done and state.exact:
        certify(rows, vectors, state, vectors.w)
        if state.gap <= state.tol * state.value:
            return REACHED
        state.aim *= 0.1
        state.failures += 1
    elif done or not (
        np.sqrt(state.square + state.slope_b * state.total_h) > state.noise
    ):
        return NEEDS_CARE if state.exact else NOISY
    if state.exact:
        if state.total > 0.25 * state.best:
            state.failures += 1
        else:
            state.failures = 0
        # in halves, an exact point has to bring more
        if half and state.total > 0.1 * state.best:
            return NEEDS_CARE
        state.best = min(state.best, state.total)
        if state.failures == _PATIENCE:
            return NEEDS_CARE
    if state.n_iter >= state.max_iter:
        if not state.exact:
            return NOISY
        certify(rows, vectors, state, vectors.w)
        return ITERATION_LIMIT
    return GO_ON


@njit(fastmath=LOOPS)
def _refactor(rows, vectors, factor, state):
    """Make a factor where as many passes are spent as it costs."""
    zoom = vectors.zoom
    scale = factor.scale
    n, q = rows.y.size, vectors.w.size
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
    active = min(n * min(1.0, 8.0 * state.total_h / n), 1.0 * state.sample)
    cost = (
        active * (q * q / (2 * rate) + PACKED * q + ROW)
        + q**3 / (6 * CHOLESKY) + min(n, 4 * state.sample) * ROW
    ) / state.pass_cost
    fresh = state.all_rows and _changed(rows.h, factor.h_then) < _SAME
    if fresh:
        return NEEDS_CARE if state.since >= _MOST_FRESH else GO_ON
    # a start from elsewhere is near enough for a factor at once
    if (state.factored or state.at_zero) and not (
        state.spent >= cost and left > cost + 2.0
    ):
        return GO_ON
    taken, state.all_rows = make_factor(
        rows.A, rows.h, state.intercept, state.sample, rows.m_new, factor
    )
    state.factors += 1
    if taken < 0 or state.factors == _MOST_FACTORS:
        return NEEDS_CARE
    for j in range(vectors.zoom.size):
        scale[j] *= zoom[j]
    state.factored = True
    state.sample = min(2 * state.sample, n)
    assign(rows.h, factor.h_then)
    state.pairs = state.since = 0
    state.spent = state.last = 0.0
    state.first_total = state.total
    return GO_ON


@njit(fastmath=LOOPS)
def _find_direction(vectors, pairs, factor, state):
    """Set d by the pairs of L-BFGS; returns whether it goes down."""
    trial, inverse = vectors.trial, vectors.inverse
    gamma = state.gamma
    u, d, g = vectors.u, vectors.d, vectors.g
    q = u.size
    square = state.square
    if state.intercept:
        square += g[q - 1] * g[q - 1]
    size = max(np.sqrt(square), 1e-300)
    for j in range(q):
        u[j] = -g[j] / size
    before_inverse(u, pairs, state.pairs)
    if state.factored:
        for j in range(q):
            d[j] = u[j]
        solve(factor.L, factor.scale, d, factor.work, trial)
        for j in range(q):
            u[j] = trial[j]
    else:
        for j in range(q):
            u[j] *= gamma * inverse[j]
    after_inverse(u, pairs, state.pairs)
    set_direction(vectors, state, size)
    return state.slope < 0.0


@njit(fastmath=LOOPS)
def set_direction(vectors, state, size):
    """Set d = size u, its norm, slope and what the penalty bends."""
    u = vectors.u
    d, g = vectors.d, vectors.g
    slope, norm = 0.0, 0.0
    for j in range(d.size):
        d[j] = size * u[j]
        slope += g[j] * d[j]
        norm += d[j] * d[j]
    state.size, state.slope = np.sqrt(norm), slope
    if state.intercept:
        norm -= d[-1] * d[-1]
    state.quadratic = state.l2 * norm


@njit(fastmath=LOOPS)
def keep_pair(t, vectors, pairs, state):
    """Append the step t d and the change of the gradient to the pairs.

    Returns what `add_pair` does.
    """
    scaled = add_pair(
        t, vectors.d, vectors.change, vectors.inverse, pairs, state.pairs
    )
    if scaled > 0.0:
        state.gamma = scaled
        state.pairs += 1
    return scaled


@njit(fastmath=LOOPS)
def _step_to_certify(threads, rows, vectors, pairs, state):
    """Take the step 1 by an exact pass, where that is likely to be the end.

    Returns whether the new point is taken.
    """
    w, change, exact = vectors.w, vectors.change, vectors.exact
    contraction = state.total / state.last
    state.last = state.total
    goal = GOAL * state.aim * state.value
    if not (state.trusted and 3.0 * contraction * state.total <= goal):
        return False
    d, g, x, l2 = vectors.d, vectors.g, vectors.trial, state.l2
    p = vectors.exact.size
    for j in range(x.size):
        x[j] = w[j] + d[j]
    loss, grad_b, total_h = evaluate_at(threads, rows, vectors, state, x)
    slope = 0.0
    for j in range(p):
        new = exact[j] + l2 * x[j]
        change[j] = new - g[j]
        slope += new * d[j]
    if state.intercept:
        change[p] = grad_b - g[p]
        slope += grad_b * d[p]
    if not abs(slope) <= -CERTIFIED * state.slope:
        return False
    state.loss, state.grad_b, state.total_h = loss, grad_b, total_h
    assign(x, w)
    state.exact = True
    state.since += 1
    state.spent += 1.0
    keep_pair(1.0, vectors, pairs, state)
    return True


@njit(fastmath=LOOPS)
def try_one(threads, rows, s, vectors, state):
    """Try the step 1 in one read of A.

    Parameters
    ----------
    s : array of shape (n,), float64
        The weights at the point; rows.s may be others, which the change of
        the gradient is from.

    Returns
    -------
    taken : bool
    mass, change, total_h : float
        Of the task `Trial`.
    """
    shift = shorten(vectors, state)
    p = vectors.v.size
    mass, slope, change, total_h = read_by(
        threads, rows, Trial(vectors.v, shift, state.size, 1.0),
        vectors.short, vectors.change[:p],
    )
    slope += state.slope + dot(s, rows.dm) + state.quadratic
    taken = abs(slope) <= -_TAKEN * state.slope
    if not taken:
        vectors.change[:] = 0.0
    return taken, mass, change, total_h


@njit(fastmath=LOOPS)
def search_along(threads, rows, vectors, state, known):
    """Search along d on the margins, dm being `known` or to be computed.

    Returns
    -------
    t, mass, total_h : float
        Of `line_search.search`; the new margins are those at t.
    """
    m, m_new, dm = rows.m, rows.m_new, rows.dm
    if not known:
        shift = shorten(vectors, state)
        read_by(
            threads, rows, Along(vectors.v, shift, state.size),
            vectors.short, vectors.change,
        )
    t, mass, total_h = search(
        m, dm, rows.s, (state.slope, state.quadratic), _SEARCHED,
        rows.s_new, rows.h_new,
    )
    for i in range(rows.m.size):
        m_new[i] = m[i] + t * dm[i]
    return t, mass, total_h


@njit(fastmath=LOOPS)
def _add_noise(t, moved, spread, rows, state):
    """Add what a step may have made wrong in the gradient."""
    if rows.A.itemsize == 2:
        n = rows.h.size
        spread *= dot(rows.h_new, rows.h_new) / n
        state.noise += HALF * state.row_norm * (
            np.sqrt(dot(rows.c, rows.c)) + t * np.sqrt(spread)
        )
    else:
        unit = _UNIT64 if rows.A.itemsize == 8 else _UNIT32
        state.noise += unit * moved


@njit(fastmath=LOOPS)
def _step(threads, rows, vectors, pairs, state):
    """Step along d on A, to the new of rows; update w and the gradient."""
    unzoom, squares = vectors.unzoom, vectors.squares
    p, l2, t = vectors.v.size, state.l2, 1.0
    d, w, g, change = vectors.d, vectors.w, vectors.g, vectors.change
    tried = state.trusted and rows.A.size * rows.A.itemsize > _L2_CACHE
    taken, mass, change_b, total_h = False, 0.0, 0.0, 0.0
    if tried:
        taken, mass, change_b, total_h = try_one(
            threads, rows, rows.s, vectors, state
        )
    if not taken:
        t, mass, total_h = search_along(threads, rows, vectors, state, tried)
        if not t > 0.0:
            return NEEDS_CARE
        change_b, _, _, _ = read_by(
            threads, rows, Change(), vectors.short, change[:p]
        )
    state.trusted = 0.6 < t < 1.6
    state.loss, state.total_h = mass, total_h
    state.n_passes += 1
    state.spent += 1.0
    state.since += 1
    moved, spread = 0.0, 0.0
    for j in range(p):
        w[j] += t * d[j]
        change[j] = change[j] * unzoom[j] + l2 * t * d[j]
        moved += change[j] * change[j]
        g[j] += change[j]
        spread += squares[j] * d[j] * d[j]
    if state.intercept:
        w[p] += t * d[p]
        change[p] = change_b
        moved += change_b * change_b
        g[p] += change_b
    _add_noise(t, np.sqrt(moved), spread, rows, state)
    if keep_pair(t, vectors, pairs, state) < 0.0:
        return NEEDS_CARE
    return GO_ON


@njit(fastmath=LOOPS)
def _iterate(threads, rows, vectors, pairs, factor, state):
    """Take steps until an end; returns its status."""
    half = rows.A.itemsize == 2
    while True:
        status = _judge(rows, vectors, state, half)
        if status == NOISY:
            state.loss, state.grad_b, state.total_h = evaluate_at(
                threads, rows, vectors, state, vectors.w
            )
            rows = exchanged(rows)
            state.exact = True
            continue
        if status == GO_ON:
            if state.first_total < 0.0:
                state.first_total = state.total
            state.exact = False
            status = _refactor(rows, vectors, factor, state)
        if status != GO_ON:
            return status
        state.n_iter += 1
        if not _find_direction(vectors, pairs, factor, state):
            if state.pairs == 0:
                return NEEDS_CARE
            state.pairs = 0
            continue
        if -0.5 * state.slope <= state.loose * state.value:
            return REACHED
        if not _step_to_certify(threads, rows, vectors, pairs, state):
            status = _step(threads, rows, vectors, pairs, state)
        if status != GO_ON:
            return status
        rows = exchanged(rows)


@njit(fastmath=LOOPS)
def reset(state):
    """Set what a descent begins with."""
    state.aim, state.best, state.first_total = state.tol, np.inf, -1.0
    state.failures = state.pairs = state.since = state.factors = 0
    state.n_iter = state.n_passes = 0
    state.noise = state.spent = state.last = 0.0
    state.exact, state.trusted = True, not state.at_zero
    state.factored = state.all_rows = False
    state.value = state.gap = state.bound = np.inf


@njit(fastmath=LOOPS)
def new_pairs(c, q):
    """Make room for the pairs, in c's dtype."""
    return Pairs(
        np.empty((MEMORY, q), c.dtype), np.empty((MEMORY, q), c.dtype),
        np.empty(MEMORY, c.dtype), np.empty(MEMORY, c.dtype),
    )


@njit(fastmath=LOOPS)
def descend(
    threads, X, A, y, V, w, columns, c, panel, C, chosen, memory
):
    """Minimise F from w.

    Parameters
    ----------
    threads : int or None
        None for one (see `dense.threads`).
    X : array of shape (n, p), C order, float64 or float32
        The data of exact gradients.
    A : array of shape (n, p), C order
        X itself or, where state.copy, an array that is written: float32, or
        uint16 for halves.
    y : array of shape (n,), float64, -1 and +1
    V : array of shape (9, n), float64
    w : array of shape (q,), float64
        The start, becomes the solution; an intercept comes last.
    columns : array of shape (3, p), float64
        What the columns of A were multiplied by (1 but for halves), its
        inverse, and the column sums of X^2, written where the start is zero.
    c : array of shape (n,), A's dtype; float32 for halves
    panel, C : arrays
        Of `weighted_gram`; empty where not state.direct.
    chosen : array of shape (2, n), int64
        Empty where not state.direct.
    memory : array of float64
        Of one `state.STATE`, which takes Python 6 us less to hand over. What
        is given of it; n_iter, n_passes, factors are of this descent.

    Returns
    -------
    status : int
    gap, value : float
        A bound of the gap in exact arithmetic and F at w, where the status is
        REACHED or ITERATION_LIMIT; else the last that was known.
    """
    state = memory.view(STATE)[0]
    n, q = y.size, w.size
    reset(state)
    rows = Rows(X, A, y, V[0], V[1], V[2], V[3], V[4], V[5], V[6], V[7], c)
    vectors = new_vectors(w, c, columns)
    size = q if state.direct else 0
    factor = Factor(
        panel, C, np.empty((size, size), C.dtype), np.empty(size),
        np.zeros(size), np.empty(size, C.dtype), chosen[0], chosen[1], V[8],
    )
    if state.at_zero:
        read_first(threads, rows, vectors, state)
    else:
        _start_elsewhere(threads, rows, vectors, state)
        rows = exchanged(rows)
    held = measure_columns(vectors, state, n)
    if A.itemsize == 2 and not held:
        return NEEDS_CARE, np.inf, np.inf
    _set_inverse(vectors, state, n)
    for j in range(min(size, X.shape[1])):
        factor.ridge[j] = state.l2 * vectors.zoom[j] ** 2
    assign(rows.h, factor.h_then)
    status = _iterate(
        threads, rows, vectors, new_pairs(c, q), factor, state
    )
    if status == REACHED or status == ITERATION_LIMIT:
        return status, state.bound, state.value
    return status, state.gap, state.value
