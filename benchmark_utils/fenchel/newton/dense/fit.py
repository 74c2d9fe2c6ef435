"""One fit of dense data that is not tiny: regime, buffers, retries."""
import numba
import numpy as np

from ...lbfgs import MEMORY
from ...linalg import cpu
from ...linalg.gram import PANEL, padded
from ...linalg.half_precision import column_scales
from ...result import (
    ITERATION_LIMIT,
    NEEDS_CARE,
    REACHED,
    SLOW,
)
from ...validation import check_entries
from ..kernel import kernel_matrix, solve_by_kernel
from ..safeguarded import newton
from .descent import descend
from .factor import CHOLESKY, GRAM32, GRAM64, PACKED, ROW
from .reads import THEN
from .row_span import BASE, CHANGES, descend_wide
from .start import first_read
from .state import GIVEN, STATE, UNZOOM, ZOOM, W, rows_of_vectors

#: Rows of what a descent is given
ROWS_F, ROWS_K = rows_of_vectors()
ROWS_V, ROWS_SPAN = THEN + 1, CHANGES + MEMORY
STATE_SIZE = STATE.itemsize // 8
# From here a copy in float32 pays: 0.115 ms without, 0.09 ms with it at
# 569 x 30
_SINGLE_COLUMNS = 16
# From here a copy in float32 does not fit the cache, and a row weighs more
# than the 100 bytes that an iteration keeps of a sample: in halves it is
# read twice as fast
_HALF_ENTRIES, _HALF_COLUMNS = 500_000, 100
# A factor has at most this many rows and columns: 64 MB in float32
_FACTOR_COLUMNS = 4000
# Rows of a sampled factor for each column: ten, but down to six where ten cost
# more than this many reads
_FEWEST, _MOST, _SAMPLE_READS = 6, 10, 6.0
# From here a read of X by several threads pays: to start them takes 10 us
_THREADS_BYTES = 2_000_000
# Seconds an entry of a read, by its bytes; only the ratio to the rates in
# `dense.factor` counts
_ENTRY = {2: 1.2e-10, 4: 1.6e-10, 8: 3.2e-10}
# L-BFGS without a factor takes at most so many passes where there is no
# better method
_PATIENCE = 100


def objective_at(X, y, l2, x):
    """F at x, an intercept last; infinite or NaN where it overflows."""
    p = X.shape[1]
    coef, loss = x[:p], 0.0
    step = max(1, 2**20 // p)
    with np.errstate(over="ignore", invalid="ignore"):
        # by blocks of rows: X in float32 is not converted as a whole
        for first in range(0, len(y), step):
            rows = slice(first, first + step)
            products = X[rows].astype(np.float64, copy=False) @ coef
            margins = y[rows] * (products + x[p:].sum())
            loss += np.logaddexp(0.0, -margins).sum()
        return loss + l2 / 2 * coef @ coef


class DenseFit:
    """Buffers and decisions of one fit.

    Parameters
    ----------
    X : array of shape (n, p), float32 or float64
    y : array of shape (n,), -1.0 and +1.0
    l2, tol : float
    intercept : bool
    max_iter : int
    x : array of shape (q,)
        The start, an intercept last; becomes the solution.
    float32_copy : bool
        Whether a copy of X in float32 may be made.
    """

    def __init__(self, X, y, l2, intercept, tol, max_iter, x, float32_copy):
        self.X = np.ascontiguousarray(X)
        self.y, self.l2, self.tol, self.x = y, l2, tol, x
        self.intercept, self.max_iter = intercept, max_iter
        self.n, self.p = X.shape
        self.q = len(x)
        self.float32_copy = float32_copy and self.q > _SINGLE_COLUMNS
        self.set_dtype(
            X.size >= _HALF_ENTRIES and self.p >= _HALF_COLUMNS
            and cpu.has_halves()
        )
        #: iterations, passes, factors, products with the Hessian
        self.counts = [0, 0, 0, 0]
        self.choose()

    def set_dtype(self, half):
        """Products with a copy of X in halves or in float32, or with X."""
        self.half = self.float32_copy and half
        self.copy = self.half or (
            self.float32_copy and self.X.dtype == np.float64
        )
        #: of the copy, and of the vectors that it is multiplied by
        self.stored = self.dtype = self.X.dtype
        if self.copy:
            self.stored = np.dtype(np.uint16 if self.half else np.float32)
            self.dtype = np.dtype(np.float32)

    def choose(self):
        n, p, q = self.n, self.p, self.q
        pass_cost = self.pass_cost(n)
        self.wide = n < 0.5 * p
        self.direct = n >= p and q <= _FACTOR_COLUMNS
        self.budget = float(_PATIENCE)
        if n < p:
            self.regime = "wide"
            self.why = "fewer samples than features: L-BFGS"
            # NumPy's X X', Newton's factors, and reads of X to refine
            kernel = n * n * p / GRAM64 + 6 * n**3 / (6 * CHOLESKY)
            kernel += 4 * n * p * _ENTRY[8]
            self.budget = max(kernel / pass_cost, 10.0)
        elif self.direct:
            rows = min(n, self.sample(n))
            cost = rows * self.row_cost() + q**3 / (6 * CHOLESKY)
            cost /= pass_cost
            self.regime = "tall"
            self.why = (
                f"L-BFGS; a factor of {q} columns costs about {cost:.1f} "
                "passes and is made when as many are spent"
            )
        else:
            self.regime = "large"
            self.why = f"no factor of {q} columns fits: L-BFGS"

    def pass_cost(self, n):
        """Seconds of a read of n rows, by a model."""
        return n * self.p * _ENTRY[self.stored.itemsize]

    def sample(self, n):
        """Rows of a factor at most, not less than cost a quarter of a read."""
        a_read = self.pass_cost(n) / self.row_cost()
        rows = max(_SAMPLE_READS * a_read, _FEWEST * self.q)
        return int(max(min(rows, _MOST * self.q), 0.25 * a_read))

    def row_cost(self):
        """Seconds a row of a factor, by a model."""
        rate = GRAM32 if self.dtype.itemsize == 4 else GRAM64
        return self.q**2 / (2 * rate) + PACKED * self.q + ROW

    def run(self):
        """Fit; returns status, gap and value."""
        start = self.x.copy()
        status, gap, value = self.attempt()
        if status not in (REACHED, ITERATION_LIMIT):
            # mostly not looked at before
            check_entries(self.X)
        if self.half and status == NEEDS_CARE:
            # to be read again more exactly, from the best that is known
            self.keep_or(start)
            self.set_dtype(False)
            self.regime += ", single"
            self.why += "; two bytes a number were too few"
            status, gap, value = self.attempt()
        if status in (REACHED, ITERATION_LIMIT):
            return status, gap, value
        value = self.keep_or(start)
        if not value < np.inf:
            return status, np.inf, np.inf
        if status == SLOW and self.n < self.p and self.n <= _FACTOR_COLUMNS:
            self.by_kernel()
        elif status == NEEDS_CARE:
            self.regime += ", careful"
            self.why += "; float32 stalled, so float64 and all rows"
        else:
            self.regime += ", conjugate gradients"
            self.why += "; which was slow, so Newton by conjugate gradients"
        return self.careful()

    def keep_or(self, start):
        """x = start unless F is less at x; returns F there.

        Where columns have an offset of 1000 times their spread, float32 has
        ended at F = 1e57.
        """
        value, first = (
            objective_at(self.X, self.y, self.l2, x) for x in (self.x, start)
        )
        if value < first:
            return value
        self.x[:] = start
        return first

    def attempt(self):
        """`descend` on X or on a copy, with a start of its own."""
        at_zero = not self.x.any()
        if at_zero and self.direct and self.n >= 800 * self.q:
            self.warm_start()
            at_zero = not self.x.any()
        A = np.empty(self.X.shape, self.stored) if self.copy else self.X
        F, both = self.vectors()
        if self.half:
            column_scales(self.X, F[ZOOM, :self.p], F[UNZOOM, :self.p])
            if self.wide and at_zero:
                return self.descend(self.X, A, self.y, F, both, True)
        if not at_zero:
            first_read(self.X, self.y, self.copy, A, F[ZOOM], both)
        return self.descend(self.X, A, self.y, F, both)

    def vectors(self):
        """F and `both` of `state.Vectors`, for columns that are as in X."""
        F = np.empty((ROWS_F, self.q))
        F[ZOOM:UNZOOM + 1] = 1.0
        return F, np.zeros(2 * self.p)

    def descend(self, X, A, y, F, both, wide=False, loose=0.0):
        """Call the compiled descent; `wide`, in the span of the rows."""
        n, dtype = len(y), self.dtype
        memory = np.empty(STATE_SIZE)
        # a part of the rows where `loose`
        memory[:len(GIVEN)] = (
            self.l2 * n / self.n if loose else self.l2, self.tol, loose,
            self.pass_cost(n), np.inf if loose else self.budget,
            self.max_iter, self.sample(n), self.intercept, self.direct,
            self.wide, self.copy and not loose, not self.x.any(),
        )
        F[W] = self.x
        arguments = (
            self.threads(A),
            (X, A, y, np.empty((ROWS_V, n)), np.empty(n, dtype)),
            (
                F, np.empty((ROWS_K, self.q), dtype), both,
                np.empty((2, MEMORY), dtype),
            ), memory,
        )
        if wide:
            span = np.empty((ROWS_SPAN, n))
            span[0] = F[BASE] = 0.0
            result = descend_wide(*arguments, span)
        else:
            q = self.q if self.direct else 0
            width = -(-padded(q, dtype) // 8) * 8
            result = descend(*arguments, (
                np.zeros((PANEL if q else 0, width), dtype),
                np.empty((width, width), dtype),
                np.empty((2, n if q else 0), np.int64),
            ))
        self.x[:] = F[W]
        status, gap, value, *counts = result
        self.count(*counts)
        return status, gap, value

    def count(self, *counts):
        """Add to the counts."""
        for k, more in enumerate(counts):
            self.counts[k] += more

    def threads(self, A):
        """numba's number of threads, None for one and for a small X."""
        # asked last: it takes 4 us
        if A.nbytes < _THREADS_BYTES or numba.get_num_threads() == 1:
            return None
        return numba.get_num_threads()

    def warm_start(self):
        """Fit every 64th, then every 8th row first, for a start.

        With n samples of p features the minimiser of an eighth of the rows
        is within p / (n / 8) of the whole one, at an eighth of the cost.
        """
        F, both = self.vectors()
        for step in (512, 64, 8):
            n = self.n // step
            y = np.ascontiguousarray(self.y[::step])
            if n < 50 * self.q or not -len(y) < y.sum() < len(y):
                continue
            rows = np.ascontiguousarray(self.X[::step], self.dtype)
            # without sums of squares, as its gap is not told to anyone
            both[:] = 0.0
            status, gap, _ = self.descend(
                rows, rows, y, F, both, loose=0.1 * self.q / n
            )
            if status == NEEDS_CARE or not gap < np.inf:
                self.x[:] = 0.0
        # iterations on a part of the rows are not counted
        self.counts = [0, 0, 0, 0]

    def by_kernel(self):
        self.regime += ", kernel"
        self.why += (
            f"; after {self.counts[1]} passes Newton's method with the "
            f"{self.n} x {self.n} matrix X X'"
        )
        K = kernel_matrix(self.X)
        self.counts[2] += 1
        # what overflows here ends at a point that is no better
        with np.errstate(all="ignore"):
            a, b, n_iter = solve_by_kernel(
                K, self.y, self.l2, self.intercept, 0.1 * self.tol,
                self.max_iter,
            )
        self.counts[0] += n_iter
        # by blocks of rows: X in float32 is not converted as a whole
        w = np.zeros(self.p)
        step = max(1, 2**20 // self.p)
        for first in range(0, self.n, step):
            block = self.X[first:first + step]
            w += a[first:first + step] @ block.astype(np.float64, copy=False)
        self.counts[1] += 1
        self.x[:self.p] = w
        if self.intercept:
            self.x[self.p] = b

    def careful(self):
        """From where x is: Newton in float64 with all rows."""
        status, gap, value, counts = newton(
            self.X, self.y, self.l2, self.intercept, self.tol,
            max(self.max_iter, 2 * self.counts[0]), self.x,
        )
        self.count(*counts)
        return status, gap, value
