r"""L2 logistic regression on CSR and CSC matrices, certified.

.. math::
    F(w, b) = \sum_i \log(1 + e^{-y_i (x_i^\top w + b)})
              + \tfrac{\lambda_2}{2} \|w\|_2^2

`docs/fenchel_sparse.md` explains the regimes.
"""
import numpy as np

from ...coordinate_descent.dual import ascend
from ...linalg.elimination import make_plan
from ...linalg.packing import as_it_is, pack, unsigned_arrays
from ...linalg.sparse_cholesky import empty_factor, factorize
from .descent import (
    CLOSE,
    FEWEST_PAIRS,
    LIMIT,
    MOST_PAIRS,
    SLOW,
    STUCK,
    changed,
    descend,
)
from .point import diagonal, exact_point

STATUS_REACHED = "reached the tolerance"
STATUS_FLOAT64 = "stopped at the accuracy that float64 allows"
STATUS_LIMIT = "stopped at max_iter iterations"
# Seconds: a pass over an entry, a row, a column; an entry added to the Gram
# matrix; a multiplication in float32 Cholesky
_ENTRY, _ROW, _COLUMN, _PAIR, _MULTIPLY = 0.65e-9, 4e-9, 3e-9, 0.45e-9, 2.7e-11
# an entry of the matrix that is factorized, and the call
_FACTOR_ENTRY, _FACTOR = 1e-9, 8e-5
# A sample and an entry in a sweep of dual coordinate descent; the same and a
# column in an iteration of L-BFGS, with its share of what comes before; fitted
# by hand to some 170 timings
_VISIT, _VISITED = 4e-8, 2.2e-9
_SAMPLE, _READ, _PAIRS = 3e-8, 2e-9, 1e-8
# Where there are more samples than columns, but so many times as many at most,
# and the mean of ||x||^2 / lambda2 is at most this, it is tried as well
_MOST_SAMPLES, _LIGHT = 3, 0.5
# A column in another pair of L-BFGS, where all of them fit the second-level
# cache and elsewhere; what more pairs than the fewest may add to a pass. Alone
# it takes 0.4 to 0.7 ns, of 20000 columns between passes over X 3 ns; the
# others are chosen by hand between
_PAIR_NEAR, _PAIR_FAR, _L2_CACHE, _SHARE = 1e-9, 3e-9, 2**19, 0.25
# Columns of a dense factor at most: 256 MB in float32
_FACTOR_COLUMNS = 8000
# Passes before a factor is thought of
_FEWEST, _MOST = 4.0, 25.0
# A dense copy is made of at most so many entries (128 MB), of matrices that
# are denser than this, where n < p than that, or of at most so many entries
DENSE_ENTRIES = 2**24
_DENSITY, _DENSITY_WIDE, _SMALL = 0.15, 0.3, 8192
# Wait for the end rather than make a factor where it is nearer than this
# share of the factor's cost, by the mean rate so far: the end is slower, 0.5
# and more of it were wrong. Wait twice as long as that.
_NEAR, _LONGER = 0.35, 2.0
# Passes with a factor in float64 and conjugate gradients, which are as precise
# as there is, before the dense solver takes over
_LAST = 200.0
# float64 points without progress that are waited for
_PATIENCE = 3


def better_dense(X):
    """Whether the dense solver is faster, by size and density alone."""
    n, p = X.shape
    density = _DENSITY if n >= p else _DENSITY_WIDE
    return n * p <= DENSE_ENTRIES and (
        X.nnz > density * n * p or n * p <= _SMALL
    )


def fit_sparse(
    X, y, l2, fit_intercept=False, tol=1e-8, max_iter=1000, coef_init=None,
    intercept_init=0.0, float32_copy=True,
):
    """Minimise F and certify the result.

    Parameters
    ----------
    X : CSR or CSC matrix of shape (n_samples, n_features)
        float32 or float64, int32 or int64 indices, sorted or not. Not
        changed.
    y : array of shape (n_samples,), float64
        -1.0 and +1.0.
    l2 : float, > 0
        lambda2 itself.
    fit_intercept : bool
        Fit an intercept, which is not penalized.
    tol : float
        Stop at this certified relative duality gap.
    max_iter : int
        Iterations: directions with a search along each.
    coef_init : array of shape (n_features,), optional
    intercept_init : float
        Start from there instead of zero, unless F is smaller at zero.
    float32_copy : bool
        Copy the entries in float32, rows sorted by their length; without it
        X is read as it is, where it is CSR with int32 indices.

    Returns
    -------
    coef : array of shape (n_features,), float64
    intercept : float
    info : dict
        `regime` and `why`; `n_iter`; `n_passes` over X, forward and back
        counted as one; `n_gram` factors formed; `n_products` with the
        Hessian; `objective` F; `relative_gap`, certified; `converged`, and
        `status` in words.

    Raises
    ------
    ValueError
        For data that define no problem.
    """
    if y.min() == y.max() and fit_intercept:
        raise ValueError(
            "y has a single class: with an intercept no minimum exists."
        )
    fit = _Fit(X, y, float(l2), bool(fit_intercept), float(tol),
               int(max_iter), bool(float32_copy))
    return fit.run(coef_init, float(intercept_init))


def factor_time(updates, q):
    """Seconds that a factor takes, by a model."""
    return (
        _FACTOR + _PAIR * updates + _FACTOR_ENTRY * q**2
        + _MULTIPLY * q**3 / 6.0
    )


class _Fit:
    """Buffers and decisions of one fit."""

    def __init__(self, X, y, l2, intercept, tol, max_iter, copy):
        self.n, self.p = X.shape
        self.X, self.labels, self.l2, self.tol = X, y, l2, tol
        self.intercept, self.max_iter = intercept, max_iter
        self.copy = copy
        self.w = np.zeros(self.p + 1)
        self.M = np.empty((9, self.n))
        self.g = None
        self.counts = np.zeros(4)
        self.state = np.zeros(6)
        self.factor, self.plan = empty_factor(), None
        self.dtype = np.float32
        self.since = 0.0
        self.waited, self.first_gap = False, np.inf
        self.last = _LAST
        # F at zero, with room for rounding
        self.at_zero = self.n * np.log(2.0) * (1.0 + 1e-9)

    def pack(self, dtype, copy=True):
        if copy and self.copy:
            self.A, self.order, self.exact = pack(self.X, dtype)
        else:
            self.A, self.order, self.exact = as_it_is(self.X)
        self.by_rows = self.X.format == "csr"
        # where the original is not needed, the packed arrays stand for it:
        # one compilation less
        self.source = self.A if self.exact else unsigned_arrays(self.X)
        self.y = self.labels[self.order]

    def point(self):
        """Value and certified gap at w, margins and gradient there."""
        m, s, h = self.M[:3]
        if self.g is None:
            self.g = np.empty(self.p + 1)
        value, gap, total = exact_point(
            self.A, self.exact, self.source, self.by_rows, self.order,
            self.y, self.l2, self.intercept, self.w, m, s, h, self.g,
        )
        self.counts[1] += 1
        self.state[:3] = value, 0.0, total
        return value, gap

    def descend(self, budget):
        return descend(
            self.A, self.exact, self.y, self.l2, self.intercept, self.tol,
            budget, self.max_iter, self.w, self.g, self.M, self.V,
            self.inverse, self.factor, self.S, self.Y, self.rho, self.state,
            self.counts,
        )

    def first_budget(self):
        """Passes before `next_budget` is asked, from a bound of the costs
        of a factor without elimination."""
        lengths = np.diff(self.A[2]).astype(np.float64)
        self.pass_time = (
            _ENTRY * len(self.A[0]) + _ROW * self.n + _COLUMN * self.p
        )
        cost = factor_time(0.5 * float(lengths @ lengths), self.p)
        self.cost = min(max(cost / self.pass_time, _FEWEST), _MOST)
        return self.cost

    def next_budget(self):
        """The passes that `descend` has been given did not suffice: go on,
        or precondition by a factor, when as much was spent without one, or
        give up (0).

        That never takes more than twice the time of the better choice, and
        asks nothing about the condition of the problem.
        """
        if self.plan is None:
            # before a plan, which costs three passes
            left = self.wait()
            if left:
                return left
            self.plan = make_plan(self.A, self.p, self.intercept)
            self.counts[1] += 3
            self.cost = np.inf
            if self.plan.q <= _FACTOR_COLUMNS:
                self.cost = (
                    factor_time(self.plan.updates, self.plan.q)
                    / self.pass_time
                )
        left = self.cost - (self.counts[1] - self.since)
        if left > 1.0:
            return left
        left = self.wait()
        if left:
            return left
        h = self.M[2]
        if self.counts[3] and changed(h, self.M[3]) < 0.1:
            # the factor is as good as its precision: conjugate gradients
            # on it, then more precision
            if self.state[5] > 0.0:
                if self.dtype == np.float64:
                    # rows of six decades went on to `max_iter` here; where
                    # the dense solver can take over it is to do so
                    if self.n * self.p > DENSE_ENTRIES:
                        return np.inf
                    self.last, given = 0.0, self.last
                    return given
                self.dtype = np.float64
            else:
                self.state[5] = 1.0
                return max(self.cost, 20.0)
        self.factor = None
        if self.dtype == np.float32:
            self.factor = self.factorize(h)
        if self.factor is None:
            self.dtype = np.float64
            self.factor = self.factorize(h)
        if self.factor is None:
            self.factor, self.cost = empty_factor(), np.inf
            return np.inf
        self.M[3] = h
        self.since = self.counts[1]
        # pairs of another metric help no more; after a few factors nothing
        # but Newton's method itself
        self.state[3:] = 0.0
        self.state[5] = self.counts[3] > 4
        return max(self.cost, 8.0)

    def wait(self):
        """Passes to wait, once, where it ends before a factor pays, at the
        rate so far; else 0."""
        left = self.passes_left()
        if self.counts[3] or self.waited or not left < _NEAR * self.cost:
            return 0.0
        self.waited = True
        return _LONGER * max(left, 1.0)

    def passes_left(self):
        """Passes to the tolerance at the rate since the first point."""
        gap = self.g[:self.p] @ self.g[:self.p] / (2.0 * self.l2)
        goal = self.tol * self.state[0]
        if not goal < gap < self.first_gap:
            return 0.0 if gap <= goal else np.inf
        rate = np.log(self.first_gap / gap) / self.counts[1]
        return np.log(gap / goal) / rate

    def factorize(self, h):
        self.counts[3] += 1
        return factorize(
            self.A, h, self.l2, self.intercept, self.plan, self.dtype
        )

    def run(self, coef, intercept):
        regime = "sparse"
        why = "L-BFGS, then Newton by CG, scaled by the diagonal"
        if coef is not None:
            self.w[:self.p] = coef
            self.w[self.p] = intercept if self.intercept else 0.0
        status = SLOW
        if coef is None and self.suits_the_dual():
            # few sweeps do not pay for a copy
            self.pack(np.float32, copy=False)
            status, value, gap = self.ascend()
        if status == CLOSE:
            regime = "sparse, dual"
            why = "few or light samples: dual coordinate descent"
        else:
            self.pack(np.float32)
            status, value, gap = self.iterate(_PATIENCE)
        if status == STUCK:
            regime = "sparse, careful"
            why = "float32 made no more progress: float64 products"
            self.pack(np.float64)
            self.dtype = np.float64
            self.factor = empty_factor()
            self.since, self.last = self.counts[1], _LAST
            status, value, gap = self.iterate(2 * _PATIENCE)
        if self.counts[3]:
            regime += ", factor"
            why += (
                f"; then a factor of {self.plan.q} columns, whose "
                f"{self.cost:.0f} passes had been spent without"
            )
        info = {
            "regime": regime, "why": why, "n_iter": int(self.counts[0]),
            "n_passes": float(self.counts[1]), "n_gram": int(self.counts[3]),
            "n_products": int(self.counts[2]), "objective": value,
            "relative_gap": min(gap / value, 1.0) if value > 0.0 else 0.0,
            "converged": status == CLOSE,
            "status": {
                CLOSE: STATUS_REACHED, STUCK: STATUS_FLOAT64,
                LIMIT: STATUS_LIMIT,
            }[status],
        }
        b = float(self.w[self.p]) if self.intercept else 0.0
        return self.w[:self.p], b, info

    def suits_the_dual(self):
        """Whether rows are so nearly orthogonal, or so light, that visits of
        samples in turn may be faster than passes."""
        if self.n <= self.p:
            return True
        return (
            self.X.format == "csr" and self.n <= _MOST_SAMPLES * self.p
            and self.X.data @ self.X.data <= _LIGHT * self.l2 * self.n
        )

    def ascend(self):
        """Dual coordinate descent, as long as it promises to be faster."""
        entries = len(self.A[0])
        price = (
            _READ * entries + _SAMPLE * self.n + _PAIRS * self.p
        ) / (_VISITED * entries + _VISIT * self.n)
        turn = np.empty(self.n, np.int64)
        state = np.empty(4 * self.n + 3)
        state = state[-(state.ctypes.data >> 3) & 3:][:4 * self.n]
        goal = 0.1 * self.tol
        while True:
            done, share = ascend(
                self.A, self.y, self.l2, self.intercept, goal, price,
                self.max_iter - int(self.counts[0]), self.w, state, turn,
                int(self.counts[0]),
            )
            self.counts[:2] += done
            if share == np.inf:
                return SLOW, np.inf, np.inf
            value, gap = self.point()
            if gap <= self.tol * value:
                return CLOSE, value, gap
            if not gap <= 1e3 * share * value:
                # the estimate is no guide: entries were rounded
                return SLOW, value, gap
            goal = 0.1 * share * self.tol * value / gap

    def iterate(self, patience):
        """Descend until certified; the best point seen is kept in w."""
        best_gap = best_value = np.inf
        best = None
        self.V = np.zeros((6, self.p + 1))
        self.inverse = np.empty(self.p + 1)
        budget = self.first_budget()
        near = 8 * MOST_PAIRS * self.p <= _L2_CACHE
        pair_time = (_PAIR_NEAR if near else _PAIR_FAR) * self.p
        pairs = min(
            FEWEST_PAIRS + int(_SHARE * self.pass_time / pair_time),
            MOST_PAIRS,
        )
        self.S, self.Y = np.empty((2, pairs, self.p + 1), np.float32)
        self.rho = np.empty(pairs)
        worse = 0
        status = CLOSE
        self.state[3:] = 0.0
        while True:
            value, gap = self.point()
            if best is None:
                if not value <= self.at_zero and self.w.any():
                    # a start that is worse than none
                    self.w[:] = 0.0
                    continue
                if not gap < np.inf:
                    raise ValueError(
                        "a product with X overflows float64: scale its "
                        "columns."
                    )
            if gap <= self.tol * value:
                return CLOSE, value, gap
            if best is None:
                diagonal(
                    self.A, self.M[2], self.l2, self.intercept, self.inverse,
                    self.M[3],
                )
                self.counts[1] += 0.5
                self.first_gap = gap
            if gap < best_gap:
                best = self.w.copy(), value, gap
            if gap < 0.5 * best_gap or value < best_value * (1 - 1e-6):
                worse = 0
            else:
                worse += 1
            best_gap = min(best_gap, gap)
            best_value = min(best_value, value)
            if worse == patience or status in (LIMIT, STUCK):
                self.w, value, gap = best
                return (LIMIT if status == LIMIT else STUCK), value, gap
            if worse:
                # pairs that came from rounding may be to blame
                self.state[3] = 0.0
                self.state[5] = 1.0
            status = self.descend(budget)
            while status == SLOW:
                budget = self.next_budget()
                status = self.descend(budget) if budget else STUCK
