"""Proximal gradient, written once: over any smooth f and any prox of r.

`proximal_gradient` is plain Python. It needs an f with `value` and `grad`
and an r with `prox`, nothing else; compiled by numba, the same lines take
compiled classes (`compiled`).

References
----------
A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm
for linear inverse problems", SIAM J. Imaging Sci. 2(1), 2009,
doi:10.1137/080716542.
B. O'Donoghue and E. Candes, "Adaptive restart for accelerated gradient
schemes", Found. Comput. Math. 15, 2015, doi:10.1007/s10208-013-9150-3.
"""
from functools import lru_cache

import numba
import numpy as np
from numba import njit
from numba.experimental import jitclass
from scipy import sparse
from scipy.sparse.linalg import svds

from benchmark_utils.baselines.logistic_numba import loss_at, weight_at
from benchmark_utils.problem.loss import dual_weights, log_loss


def proximal_gradient(f, r, x, step, n_iter, accelerated, backtracking):
    """Minimise f + r by x <- prox_{step r}(z - step grad f(z)).

    Plain: z = x. Accelerated: z is the extrapolated point of FISTA, and the
    momentum starts again where it points uphill.

    Parameters
    ----------
    f : object with value(x) and grad(x)
    r : object with prox(x, step)
    x : array of shape (n,), float64; not changed
    step : float
        1 / L, where L is the Lipschitz constant of grad f; with
        `backtracking` the first step tried.
    n_iter : int
    accelerated, backtracking : bool
        Backtracking halves the step until f is below its quadratic model.

    Returns
    -------
    x : array of shape (n,), float64
    """
    z = x
    momentum = 1.0
    for _ in range(n_iter):
        grad = f.grad(z)
        new = r.prox(z - step * grad, step)
        if backtracking:
            value = f.value(z)
            # f is known to about n * 1e-16; without the slack the step goes
            # to zero near the optimum
            slack = 1e-14 * abs(value)
            move = new - z
            while f.value(new) > (
                value + grad @ move + (move @ move) / (2 * step) + slack
            ):
                step = 0.5 * step
                new = r.prox(z - step * grad, step)
                move = new - z
        if accelerated:
            if (z - new) @ (new - x) > 0:
                momentum = 1.0
            following = 0.5 * (1.0 + (1.0 + 4.0 * momentum**2) ** 0.5)
            z = new + (momentum - 1.0) / following * (new - x)
            momentum = following
        else:
            z = new
        x = new
    return x


class Logistic:
    """f(x) = sum_i log(1 + exp(-y_i a_i'x)).

    A is dense (compiled or not) or, not compiled, any scipy matrix.
    """

    def __init__(self, A, y):
        self.A = A
        self.y = y

    def value(self, x):
        return log_loss(self.y * (self.A @ x))

    def grad(self, x):
        weights = dual_weights(self.y * (self.A @ x))
        return self.A.T @ (-self.y * weights)


class ElasticNet:
    """r(x) = lmbd1 |x|_1 + (lmbd2 / 2) |x|_2^2 over the first entries of x.

    Entries from `n_penalized` on (an intercept) are free.
    """

    def __init__(self, lmbd1, lmbd2, n_penalized):
        self.lmbd1 = lmbd1
        self.lmbd2 = lmbd2
        self.n_penalized = n_penalized

    def prox(self, x, step):
        """soft(x, step lmbd1) / (1 + step lmbd2)."""
        out = x.copy()
        head = x[:self.n_penalized]
        shrunk = np.maximum(np.abs(head) - step * self.lmbd1, 0.0)
        out[:self.n_penalized] = (
            np.sign(head) * shrunk / (1.0 + step * self.lmbd2)
        )
        return out


class Separable:
    """Any sum of penalties of one coefficient each, and the square.

    r(x) = sum_j penalty(x_j) + (lmbd2 / 2) |x|_2^2 over the first entries.
    The penalty is one of `fenchel.penalties`, a file each.
    """

    def __init__(self, penalty, lmbd2, n_penalized):
        self.penalty = penalty
        self.lmbd2 = lmbd2
        self.n_penalized = n_penalized

    def prox(self, x, step):
        """prox of the penalty, at x and step over 1 + step lmbd2."""
        shrink = 1.0 + step * self.lmbd2
        out = x.copy()
        for j in range(self.n_penalized):
            out[j] = self.penalty.prox(x[j] / shrink, step / shrink)
        return out


class Coupled:
    """`Separable` for a penalty of all coefficients at once."""

    def __init__(self, penalty, lmbd2, n_penalized):
        self.penalty = penalty
        self.lmbd2 = lmbd2
        self.n_penalized = n_penalized

    def prox(self, x, step):
        """prox of the penalty, at x and step over 1 + step lmbd2."""
        shrink = 1.0 + step * self.lmbd2
        out = x.copy()
        head = x[:self.n_penalized] / shrink
        out[:self.n_penalized] = self.penalty.prox(head, step / shrink)
        return out


class CSRLogistic:
    """`Logistic` for CSR arrays, in loops that numba compiles."""

    def __init__(self, data, indices, indptr, n_columns, y):
        self.data = data
        self.indices = indices
        self.indptr = indptr
        self.n_columns = n_columns
        self.y = y

    def margin(self, i, x):
        z = 0.0
        for k in range(self.indptr[i], self.indptr[i + 1]):
            z += self.data[k] * x[self.indices[k]]
        return self.y[i] * z

    def value(self, x):
        total = 0.0
        for i in range(len(self.y)):
            total += loss_at(self.margin(i, x))
        return total

    def grad(self, x):
        out = np.zeros(self.n_columns)
        for i in range(len(self.y)):
            residual = -self.y[i] * weight_at(self.margin(i, x))
            for k in range(self.indptr[i], self.indptr[i + 1]):
                out[self.indices[k]] += residual * self.data[k]
        return out


class Compiled:
    """The function and the classes above, compiled on first use."""

    @staticmethod
    @lru_cache
    def proximal_gradient():
        return njit(proximal_gradient)

    @staticmethod
    @lru_cache
    def logistic():
        return jitclass(Logistic, spec=[
            ("A", numba.float64[:, ::1]), ("y", numba.float64[::1]),
        ])

    @staticmethod
    @lru_cache
    def csr_logistic():
        return jitclass(CSRLogistic, spec=[
            ("data", numba.float64[::1]), ("indices", numba.int64[::1]),
            ("indptr", numba.int64[::1]), ("n_columns", numba.int64),
            ("y", numba.float64[::1]),
        ])

    @staticmethod
    @lru_cache
    def elastic_net():
        return jitclass(ElasticNet, spec=[
            ("lmbd1", numba.float64), ("lmbd2", numba.float64),
            ("n_penalized", numba.int64),
        ])

    @staticmethod
    @lru_cache
    def any_penalty(cls, penalty_type):
        return jitclass(cls, spec=[
            ("penalty", penalty_type), ("lmbd2", numba.float64),
            ("n_penalized", numba.int64),
        ])


def build(A, y, lmbd1, lmbd2, n_penalized, compiled, penalty=None):
    """(solve, f, r): `proximal_gradient` and its two arguments.

    Parameters
    ----------
    A : C-ordered array or CSR matrix of shape (n_samples, n_columns), float64
    y : array of shape (n_samples,), -1 and +1
    lmbd1, lmbd2 : float
    n_penalized : int
        The columns of A that the penalty sees, the first ones.
    compiled : bool
        By numba, or the same lines in plain Python.
    penalty : NamedTuple of `fenchel.penalties`, optional
        What stands in the place of lmbd1 |x|_1.
    """
    return (
        Compiled.proximal_gradient() if compiled else proximal_gradient,
        _smooth_part(A, y, compiled),
        _penalty(lmbd1, lmbd2, n_penalized, compiled, penalty),
    )


def _smooth_part(A, y, compiled):
    if not compiled:
        return Logistic(A, y)
    if sparse.issparse(A):
        return Compiled.csr_logistic()(
            A.data, A.indices.astype(np.int64), A.indptr.astype(np.int64),
            A.shape[1], y,
        )
    return Compiled.logistic()(A, y)


def _penalty(lmbd1, lmbd2, n_penalized, compiled, penalty):
    if penalty is None:
        kind = Compiled.elastic_net() if compiled else ElasticNet
        return kind(float(lmbd1), float(lmbd2), n_penalized)
    kind = Separable if penalty.is_separable else Coupled
    if compiled:
        kind = Compiled.any_penalty(kind, numba.typeof(penalty))
    return kind(penalty, float(lmbd2), n_penalized)


def lipschitz_constant(A):
    """|A|_2^2 / 4, the Lipschitz constant of the loss's gradient."""
    if sparse.issparse(A) and min(A.shape) > 1:
        if not A.data.any():
            return 0.0
        # a fixed start, for the same step in every run; not ones, which
        # rows of differences (sports, comparisons) take to zero
        start = np.random.default_rng(0).standard_normal(min(A.shape))
        norm = svds(A, k=1, v0=start, return_singular_vectors=False)[0]
        return 0.25 * norm**2
    if sparse.issparse(A):
        return 0.25 * float((A.data**2).sum())
    gram = A.T @ A if A.shape[0] > A.shape[1] else A @ A.T
    return 0.25 * np.linalg.eigvalsh(gram)[-1]


def frobenius_norm(A):
    """|A|_F of a dense or sparse matrix."""
    entries = A.data if sparse.issparse(A) else A
    return float(np.linalg.norm(entries))
