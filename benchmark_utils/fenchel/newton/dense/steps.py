"""Directions of L-BFGS and steps along them, on dense data."""
import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import add, assign, dot
from ...lbfgs import MEMORY, Pairs, add_pair, after_inverse, before_inverse
from ...linalg.cholesky import solve
from ...line_search import search
from ...result import NEEDS_CARE, NOT_HERE
from .reads import DM, Along, Change, H, M, S, Trial
from .state import (
    ALONG,
    CHANGE,
    INVERSE,
    PAIRS,
    SCALE,
    SHORT,
    TRIAL,
    UNZOOM,
    WORK,
    D,
    G,
    U,
    W,
    evaluate_at,
    shorten,
)
from .threads import read_by

#: no end yet
GO_ON = NOT_HERE
_L2_CACHE = 1_000_000
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


@njit
def pairs_of(vectors, scalars):
    """Return the pairs of L-BFGS; `scalars` is of shape (2, MEMORY)."""
    first = PAIRS + MEMORY
    return Pairs(
        vectors.K[PAIRS:first], vectors.K[first:first + MEMORY], scalars[0],
        scalars[1],
    )


@njit(fastmath=LOOPS)
def shorten_gradient(vectors, state):
    """Set u = -g by its norm, which is returned."""
    u, g = vectors.K[U], vectors.F[G]
    square = state.square
    if state.intercept:
        square += g[g.size - 1] ** 2
    size = max(np.sqrt(square), 1e-300)
    for j in range(g.size):
        u[j] = -g[j] / size
    return size


@njit(fastmath=LOOPS)
def find_direction(vectors, pairs, factor, state):
    """Set d by the pairs of L-BFGS; returns whether it goes down."""
    u, inverse, gamma = vectors.K[U], vectors.F[INVERSE], state.gamma
    size = shorten_gradient(vectors, state)
    before_inverse(u, pairs, state.pairs)
    if state.factored:
        trial = vectors.F[TRIAL]
        solve(factor.C, vectors.F[SCALE], u, vectors.K[WORK], trial)
        for j in range(u.size):
            u[j] = trial[j]
    else:
        for j in range(u.size):
            u[j] *= gamma * inverse[j]
    after_inverse(u, pairs, state.pairs)
    set_direction(vectors, state, size)
    return state.slope < 0.0


@njit(fastmath=LOOPS)
def set_direction(vectors, state, size):
    """Set d = size u, its norm, slope and what the penalty bends."""
    u, d, g = vectors.K[U], vectors.F[D], vectors.F[G]
    slope, norm = 0.0, 0.0
    for j in range(d.size):
        d[j] = size * u[j]
        slope += g[j] * d[j]
        norm += d[j] * d[j]
    state.size, state.slope = np.sqrt(norm), slope
    if state.intercept:
        norm -= d[d.size - 1] ** 2
    state.quadratic = state.l2 * norm


@njit(fastmath=LOOPS)
def keep_pair(t, vectors, pairs, state):
    """Append the step t d and the change of the gradient to the pairs.

    Returns what `add_pair` does.
    """
    F = vectors.F
    scaled = add_pair(t, F[D], F[CHANGE], F[INVERSE], pairs, state.pairs)
    if scaled > 0.0:
        state.gamma = scaled
        state.pairs += 1
    return scaled


@njit(fastmath=LOOPS)
def step_to_certify(threads, rows, vectors, pairs, state):
    """Take the step 1 by an exact pass, where that is likely to be the end.

    Returns whether the new point is taken.
    """
    contraction = state.total / state.last
    state.last = state.total
    goal = GOAL * state.aim * state.value
    if not (state.trusted and 3.0 * contraction * state.total <= goal):
        return False
    F, both, l2 = vectors.F, vectors.both, state.l2
    w, g, d, x, change = F[W], F[G], F[D], F[TRIAL], F[CHANGE]
    p = rows.X.shape[1]
    for j in range(x.size):
        x[j] = w[j] + d[j]
    loss, grad_b, total_h = evaluate_at(threads, rows, vectors, state, x)
    slope = 0.0
    for j in range(p):
        new = both[j] + l2 * x[j]
        change[j] = new - g[j]
        slope += new * d[j]
    if state.intercept:
        change[p] = grad_b - g[p]
        slope += grad_b * d[p]
    if not abs(slope) <= -CERTIFIED * state.slope:
        return False
    state.loss, state.grad_b, state.total_h = loss, grad_b, total_h
    assign(x, w)
    state.at = 3 - state.at
    state.exact = 1
    state.since += 1
    state.spent += 1.0
    keep_pair(1.0, vectors, pairs, state)
    return True


@njit(fastmath=LOOPS)
def try_one(threads, rows, old, vectors, state):
    """Try the step 1 in one read of A.

    Parameters
    ----------
    old : int
        The weights of V that the change of the gradient is from.

    Returns
    -------
    taken : bool
    mass, change, total_h : float
        Of the task `Trial`.
    """
    change = vectors.F[CHANGE]
    shift = shorten(rows.X.shape[1], vectors, state)
    mass, slope, change_b, total_h = read_by(
        threads, rows,
        Trial(vectors.K[ALONG], shift, state.size, old, 3 - state.at),
        vectors.K[SHORT], change,
    )
    slope += state.slope + state.quadratic
    slope += dot(rows.V[state.at + S], rows.V[DM])
    taken = abs(slope) <= -_TAKEN * state.slope
    if not taken:
        for j in range(change.size):
            change[j] = 0.0
    return taken, mass, change_b, total_h


@njit(fastmath=LOOPS)
def search_along(threads, rows, vectors, state, known):
    """Search along d on the margins, dm being `known` or to be computed.

    Returns
    -------
    t, mass, total_h : float
        Of `line_search.search`; the other point of V is that at t.
    """
    V, at, other = rows.V, state.at, 3 - state.at
    m, m_new, dm = V[at + M], V[other + M], V[DM]
    if not known:
        shift = shorten(rows.X.shape[1], vectors, state)
        read_by(
            threads, rows, Along(vectors.K[ALONG], shift, state.size),
            vectors.K[SHORT], vectors.F[CHANGE],
        )
    t, mass, total_h = search(
        m, dm, V[at + S], (state.slope, state.quadratic), _SEARCHED,
        V[other + S], V[other + H],
    )
    for i in range(m.size):
        m_new[i] = m[i] + t * dm[i]
    return t, mass, total_h


@njit(fastmath=LOOPS)
def _add_noise(t, moved, spread, rows, state):
    """Add what a step may have made wrong in the gradient."""
    if rows.A.itemsize == 2:
        h = rows.V[3 - state.at + H]
        spread *= dot(h, h) / h.size
        state.noise += HALF * state.row_norm * (
            np.sqrt(dot(rows.c, rows.c)) + t * np.sqrt(spread)
        )
    else:
        unit = _UNIT64 if rows.A.itemsize == 8 else _UNIT32
        state.noise += unit * moved


@njit(fastmath=LOOPS)
def take_step(threads, rows, vectors, pairs, state):
    """Step along d on A; update w, the point and the gradient."""
    p, l2, t = rows.X.shape[1], state.l2, 1.0
    tried = state.trusted and rows.A.size * rows.A.itemsize > _L2_CACHE
    old = state.at + S
    taken, mass, change_b, total_h = False, 0.0, 0.0, 0.0
    if tried:
        taken, mass, change_b, total_h = try_one(
            threads, rows, old, vectors, state
        )
    F, both = vectors.F, vectors.both
    w, g, d, change, unzoom = F[W], F[G], F[D], F[CHANGE], F[UNZOOM]
    if not taken:
        t, mass, total_h = search_along(threads, rows, vectors, state, tried)
        if not t > 0.0:
            return NEEDS_CARE
        change_b, _, _, _ = read_by(
            threads, rows, Change(old, 3 - old + 2 * S), vectors.K[SHORT],
            change,
        )
    state.trusted = 0.6 < t < 1.6
    state.loss, state.total_h = mass, total_h
    state.n_passes += 1
    state.spent += 1.0
    state.since += 1
    moved, spread = 0.0, 0.0
    for j in range(p):
        change[j] = change[j] * unzoom[j] + l2 * t * d[j]
        moved += change[j] * change[j]
        spread += both[p + j] * d[j] * d[j]
    if state.intercept:
        change[p] = change_b
        moved += change_b * change_b
    add(t, d, w)
    add(1.0, change, g)
    _add_noise(t, np.sqrt(moved), spread, rows, state)
    state.at = 3 - state.at
    if keep_pair(t, vectors, pairs, state) < 0.0:
        return NEEDS_CARE
    return GO_ON
