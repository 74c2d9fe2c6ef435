r"""Dual coordinate descent, the start of a sparse fit with few samples.

The dual variables :math:`a_i \in (0, 1)` are kept as
:math:`a_i = \sigma(-\theta_i)`, and :math:`w = X^\top (y a) / \lambda_2` goes
with them. One visit of sample i solves

.. math::
    \theta = m_i + q_i (\sigma(-\theta) - a_i), \qquad
    m_i = y_i (x_i^\top w + b), \quad q_i = \|x_i\|^2 / \lambda_2,

for :math:`\theta` and adds the change of :math:`a_i` to w: it reads one row
twice, so a sweep costs what a product with the Hessian costs, and nothing of
the length p. All :math:`\theta_i = m_i` at the optimum; the duality gap is
:math:`\sum_i KL(a_i \| \sigma(-m_i))`, which a sweep estimates as it goes.

With few samples in many columns rows are nearly orthogonal and every sweep
divides the gap by ten or more, where methods in w take as many passes and
work on vectors of p entries besides.

Source: H.-F. Yu, F.-L. Huang and C.-J. Lin, "Dual coordinate descent methods
for logistic regression and maximum entropy models", Machine Learning 85, 2011,
doi:10.1007/s10994-010-5221-8; here by theta, which needs no logarithm, and an
exponential only where theta moves far.
"""
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..compilation import LOOPS, njit
from ..datafits.margins import exp_of_negative, log1p_of_unit
from ..linalg.csr import add_row, are_sorted
from .dual_visit import (
    FLAT,
    LIGHT,
    NEAR,
    SURE,
    light_start,
    settle,
    small_change,
    visit,
)

_1, _2, _3, _4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
_8 = np.uint64(8)


# Give up where the first sweep leaves a larger share of F than this as gap;
# after 1.4 some end in 25 sweeps and others do not
_FAR = 1.5
# Iterations that L-BFGS is expected to take to 1e-8, by the mean of q; it took
# 4 to 8 at 0.1, 8 to 25 at 1, 15 to 42 at 10, 32 and more at 100. A fifth of
# them until the gap is F, a tenth for each power of ten below
_ITERATIONS, _DECADE = 5.0, 17.0
# Later sweeps divide the gap by less than the last two: 28 of them where the
# rates of the first would have taken 20
_SLOWER = 1.3
# Visits ahead whose rows are fetched, and cache lines of each: a count that
# does not follow the length mispredicts no branch, 0.16 instead of 0.18 ms a
# sweep of 2000 rows with 46 entries
_AHEAD, _LINES = 3, 8
# Share of F below which it changes too little for another sum
_SETTLED = 1e-3


@intrinsic
def _prefetch(typingctx, array, index):
    """Ask for the cache line of array[index]."""

    def codegen(context, builder, signature, args):
        struct = context.make_array(signature.args[0])(
            context, builder, args[0]
        )
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        address = builder.bitcast(builder.gep(struct.data, [args[1]]), byte)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte],
            ir.FunctionType(
                ir.VoidType(), [byte, integer, integer, integer]
            ),
        )
        # to read, with the highest locality, data
        builder.call(
            prefetch, [address, *(ir.Constant(integer, k) for k in (0, 3, 1))]
        )
        return context.get_dummy_value()

    return types.void(array, index), codegen


@njit
def _fetch_row(data, indices, first):
    """Ask for the first lines of a row; 16 indices or 8 entries a line."""
    e = first
    for line in range(_LINES):
        _prefetch(data, e)
        if line % 2 == 0:
            _prefetch(indices, e)
        e += _8


@njit
def _norms(A, p, out):
    """Fill ||A[i]||^2; repeated entries of a row add up first."""
    data, indices, starts = A
    sums = np.zeros(p)
    for i in range(np.uint64(out.size)):
        total = 0.0
        for e in range(starts[i], starts[i + _1]):
            sums[indices[e]] += data[e]
        for e in range(starts[i], starts[i + _1]):
            total += sums[indices[e]] * sums[indices[e]]
            sums[indices[e]] = 0.0
        out[i] = total


@njit
def _shuffle(turn, seed):
    """Draw a random order, by xorshift; return the next seed."""
    for k in range(turn.size - 1, 0, -1):
        seed ^= seed << np.uint64(13)
        seed ^= seed >> np.uint64(7)
        seed ^= seed << np.uint64(17)
        other = np.int64(
            ((seed >> np.uint64(32)) * np.uint64(k + 1)) >> np.uint64(32)
        )
        turn[k], turn[other] = turn[other], turn[k]
    return seed


@njit(fastmath={"contract"})
def _first_sweep(A, y, l2, b, state, w, turn):
    """Visit every sample once, from a = 0; fill `state`, see `_sweep`."""
    data, indices, starts = A
    inverse = 1.0 / l2
    theta, a, norms = np.empty((3, turn.size))
    known = not are_sorted(A)
    if known:
        _norms(A, w.size - 1, norms)
    for k in range(turn.size):
        if k + _AHEAD < turn.size:
            i = np.uint64(turn[k + _AHEAD])
            _fetch_row(data, indices, starts[i])
            _prefetch(y, i)
        i = np.uint64(turn[k])
        e, end = starts[i], starts[i + _1]
        z0, z1, z2, z3 = b, 0.0, 0.0, 0.0
        s0 = s1 = s2 = s3 = 0.0
        while e + _4 <= end:
            d0, d1 = np.float64(data[e]), np.float64(data[e + _1])
            d2, d3 = np.float64(data[e + _2]), np.float64(data[e + _3])
            z0 += d0 * w[indices[e]]
            z1 += d1 * w[indices[e + _1]]
            z2 += d2 * w[indices[e + _2]]
            z3 += d3 * w[indices[e + _3]]
            s0 += d0 * d0
            s1 += d1 * d1
            s2 += d2 * d2
            s3 += d3 * d3
            e += _4
        while e < end:
            d0 = np.float64(data[e])
            z0 += d0 * w[indices[e]]
            s0 += d0 * d0
            e += _1
        if not known:
            norms[i] = (s0 + s1) + (s2 + s3)
        q = norms[i] * inverse
        m = y[i] * ((z0 + z1) + (z2 + z3))
        if q <= LIGHT:
            new = light_start(m, q)
            t = m + q * new
        else:
            # where a single sample would have its minimum
            guess = np.log1p(q)
            t = max(m, guess - np.log1p(guess + max(-m, 0.0)))
            t, new = visit(t, 0.0, m, q)
        theta[i] = t
        a[i] = new
        change = new * y[i] * inverse
        add_row(data, indices, starts[i], end, change, w)
    settle(theta, a)
    for i in range(turn.size):
        at = 4 * i
        state[at], state[at + 1] = theta[i], a[i]
        state[at + 2], state[at + 3] = norms[i], y[i]


@njit(fastmath={"contract"})
def _sweep(A, l2, b, state, w, turn):
    """Visit every sample once; return the estimated gap before it.

    A visit finds what it knows of a sample, theta, a, ||x||^2 and y, in one
    place of `state`: with four arrays, 20000 rows of 18 entries in 1.4 instead
    of 1.0 ms, 2000 of 46 in 0.16 instead of 0.15.
    """
    data, indices, starts = A
    gap = 0.0
    inverse = 1.0 / l2
    for k in range(turn.size):
        if k + _AHEAD < turn.size:
            i = np.uint64(turn[k + _AHEAD])
            _fetch_row(data, indices, starts[i])
            _prefetch(state, _4 * i)
        i = np.uint64(turn[k])
        e, end = starts[i], starts[i + _1]
        # what needs no margin is ready before it
        at = _4 * i
        t, old, sign = state[at], state[at + _1], state[at + _3]
        q = state[at + _2] * inverse
        h = old * (1.0 - old)
        half = 0.5 / (1.0 + q * h)
        # a second step of Newton's method would be bend x of the first
        bend = 2.0 * half * q * h * abs(1.0 - 2.0 * old)
        steep = max(1.0 / NEAR, bend / SURE)
        z0, z1, z2, z3 = b, 0.0, 0.0, 0.0
        while e + _4 <= end:
            z0 += data[e] * w[indices[e]]
            z1 += data[e + _1] * w[indices[e + _1]]
            z2 += data[e + _2] * w[indices[e + _2]]
            z3 += data[e + _3] * w[indices[e + _3]]
            e += _4
        while e < end:
            z0 += data[e] * w[indices[e]]
            e += _1
        m = sign * ((z0 + z1) + (z2 + z3))
        residual = t - m
        x = half * residual
        if steep * abs(x) <= 1.0 and h > FLAT:
            gap += 0.5 * residual * residual * h
            t -= 2.0 * x
            change = small_change(x, old, h)
            new = old + change
        else:
            gap += 0.5 * (t - m) ** 2 * h
            t, new = visit(t, old, m, q)
            change = new - old
        state[at] = t
        state[at + _1] = new
        change *= sign * inverse
        add_row(data, indices, starts[i], end, change, w)
    return gap


@njit(fastmath=LOOPS)
def _totals(state, l2):
    """Sum F, y a and how that changes with the intercept, all by theta."""
    value = 0.0
    balance = 0.0
    curved = 0.0
    for i in range(0, state.size, 4):
        t, a, norm, y = state[i], state[i + 1], state[i + 2], state[i + 3]
        h = a * (1.0 - a)
        value += 0.5 * a * t + log1p_of_unit(exp_of_negative(-abs(t)))
        value -= min(t, 0.0)
        balance += y * a
        # not h itself: w follows the intercept
        curved += h / (1.0 + norm / l2 * h)
    return value, balance, curved


@njit
def ascend(A, given, stop, w, work, sweeps):
    """Sweep until the estimated gap is `goal` of F, or hope is lost.

    Parameters
    ----------
    A : tuple, packed matrix of n rows
    given : tuple (y, l2, intercept)
    stop : tuple (goal, price, most)
        `price` is how many sweeps take as long as an iteration of L-BFGS:
        give up when as many iterations as it would take are faster. `most`
        is how many sweeps at most.
    w : array of shape (p + 1,), updated
        Zeros in the beginning; the intercept comes last.
    work : tuple (state, turn), updated
        Arrays of shape (4 n,), float64: theta, a, ||x||^2 and y of every
        sample, filled by the first sweep, best at a multiple of 32 bytes in
        memory; of shape (n,), int64.
    sweeps : int
        Those of calls before.

    Returns
    -------
    done, estimate : int, float
        Sweeps, and the gap as a share of F that the last one left, about.
    """
    y, l2, intercept = given
    goal, price, most = stop
    state, turn = work
    n, p = y.size, w.size - 1
    if sweeps == 0:
        for i in range(n):
            turn[i] = i
    seed = np.uint64(88172645463325252 + sweeps)
    last = before_last = np.inf
    ratio, boost, previous = 1.0, 1.0, np.inf
    patience = np.inf
    done = worse = 0
    value = balance = curved = 0.0
    while done < most:
        seed = _shuffle(turn, seed)
        if sweeps + done == 0:
            before = 0.0
            _first_sweep(A, y, l2, w[p], state, w, turn)
        else:
            before = _sweep(A, l2, w[p], state, w, turn)
        done += 1
        if intercept or (sweeps + done > 1 and last > _SETTLED * value):
            value, balance, curved = _totals(state, l2)
        if intercept:
            change = balance / previous
            if 0.4 < change < 1.3 or (change < 0.0 and boost > 1.0):
                boost /= min(max(1.0 - change, 0.3), 2.0)
                boost = max(boost, 1.0)
            if sweeps + done > 1:
                previous = balance
            w[p] += boost * balance / curved
            before += 0.5 * boost * balance * balance / curved
        if patience == np.inf:
            q = 0.0
            for i in range(n):
                q += state[4 * i + 2]
            q /= n * l2
            patience = price * (_ITERATIONS + _DECADE * np.log10(1.0 + q))
            # the goal is a tenth of the tolerance
            patience *= 0.1 * (1.0 - np.log10(max(goal, 1e-16)))
        if sweeps + done == 1:
            continue
        if sweeps + done == 2 and before > _FAR * value:
            break
        if last < np.inf:
            ratio = before / last
            if before_last < np.inf:
                # one sweep alone can be lucky
                ratio = np.sqrt(before / before_last)
        before_last, last = last, before
        # what this sweep left
        share = min(ratio, 0.5) * before / value
        if share <= goal:
            return done, share
        if sweeps + done >= 3 and done >= 2:
            left = np.log(goal / share) / np.log(min(_SLOWER * ratio, 0.999))
            worse = worse + 1 if left > patience else 0
            # the intercept may disturb one sweep, which is in two ratios
            if worse > 2 * intercept:
                break
    return done, np.inf
