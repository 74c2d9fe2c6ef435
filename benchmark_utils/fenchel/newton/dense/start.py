"""Where a descent on dense data starts: at zero, or elsewhere."""
import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import dot
from ...linalg.half_precision import LARGEST
from ...line_search import search
from .reads import DM, FirstRead, H, M, Rows, S
from .state import INVERSE, PART, ZOOM, G, W, evaluate_at
from .threads import read_by

# A start is scaled where the best multiple of it is this far from 1
_WRONG_LENGTH = 0.02


@njit(fastmath=LOOPS)
def read_first(threads, rows, vectors, state):
    """Take the point and the gradient at w = 0, the squares, and fill A."""
    V, y, both = rows.V, rows.y, vectors.both
    for j in range(both.size):
        both[j] = 0.0
    read_by(
        threads, rows, FirstRead(state.copy != 0.0, vectors.F[ZOOM]),
        vectors.F[PART], both,
    )
    state.n_passes += 1
    n, grad_b = y.size, 0.0
    m, s, h = V[M], V[S], V[H]
    for i in range(n):
        m[i], s[i], h[i] = 0.0, 0.5, 0.25
        grad_b -= 0.5 * y[i]
    state.grad_b = grad_b
    state.loss, state.total_h = n * np.log(2.0), 0.25 * n


@njit
def first_read(X, y, copy, A, zoom, both):
    """Fill A where `copy`; add the column sums of X^2 to the last of both."""
    none = np.empty((0, 0))
    rows = Rows(X, A, y, none, both)
    read_by(None, rows, FirstRead(copy, zoom), both, both)


@njit(fastmath=LOOPS)
def measure_columns(p, n, vectors, state):
    """Set |X|_F^2 and `row_norm`; returns whether halves can hold A."""
    both, zooms = vectors.both, vectors.F[ZOOM]
    total, held = 0.0, True
    for j in range(p):
        square, zoom = both[p + j], zooms[j]
        total += square
        held = held and square * zoom * zoom < LARGEST * LARGEST
    state.squares = total
    state.row_norm = np.sqrt(total / n)
    return held


@njit(fastmath=LOOPS)
def start_elsewhere(threads, rows, vectors, state):
    """Evaluate at w, or at the best multiple of w.

    The length of a start is often wrong: a part of the rows is nearly
    separable.
    """
    V, w, l2 = rows.V, vectors.F[W], state.l2
    p = rows.X.shape[1]
    state.loss, state.grad_b, state.total_h = evaluate_at(
        threads, rows, vectors, state, w
    )
    other = 3 - state.at
    m, s, h, dm = V[other + M], V[other + S], V[other + H], V[DM]
    norm = 0.0
    for j in range(p):
        norm += w[j] * w[j]
    slope, bend = l2 * norm - dot(s, m), l2 * norm
    for i in range(m.size):
        bend += h[i] * m[i] * m[i]
    # Newton's step along w: shorter where the slope is positive
    if abs(slope) > _WRONG_LENGTH * bend:
        sign = 1.0 if slope < 0.0 else -1.0
        for i in range(m.size):
            dm[i] = sign * m[i]
        t, _, _ = search(
            m, dm, s, (sign * slope, l2 * norm), 0.1, V[state.at + S],
            V[state.at + H],
        )
        for j in range(w.size):
            w[j] *= 1.0 + sign * t
        state.loss, state.grad_b, state.total_h = evaluate_at(
            threads, rows, vectors, state, w
        )
    state.at = other


@njit(fastmath=LOOPS)
def set_inverse(p, n, vectors, state):
    """Set the initial matrix: the diagonal, or a multiple of the identity."""
    both, inverse = vectors.both, vectors.F[INVERSE]
    l2, weight = state.l2, state.total_h / n
    mean = 0.0
    for j in range(p):
        inverse[j] = both[p + j] if state.at_zero else 1.0
        mean += inverse[j] / n
    for j in range(p):
        square = mean if state.wide else inverse[j]
        inverse[j] = 1.0 / (weight * square + l2)
    if state.intercept:
        # where all margins are huge, 1 / total_h is no step for an intercept
        inverse[p] = 1.0 / max(state.total_h, 1e-8 * n)


@njit(fastmath=LOOPS)
def set_gradient(p, vectors, state):
    """Set the gradient of F from that of the loss, which X has told."""
    both, g, w = vectors.both, vectors.F[G], vectors.F[W]
    for j in range(p):
        g[j] = both[j] + state.l2 * w[j]
    if state.intercept:
        g[p] = state.grad_b
    state.noise = 0.0
