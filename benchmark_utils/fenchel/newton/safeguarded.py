r"""Newton's method in float64 on all rows, for what defeats the fast kernels.

It is plain NumPy, so nothing has to be compiled for a method that is rarely
needed, and takes sparse data too. Every point is computed afresh from X, F
never rises, and the best point is what is returned.

The direction solves :math:`H d = -g`:

- by conjugate gradients, with columns scaled to a unit diagonal and, where
  it fits, a Cholesky factor of H;
- for n < p by Newton's method on the n coefficients of w = X'a,
  :math:`\alpha = S (\lambda_2 I + S K S)^{-1} S z`, where K = X X',
  S = diag(h)^(1/2) and z are the working responses (see `newton.kernel`).
"""
import math
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit

from ..longer import balance
from ..result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED
from .kernel import kernel_matrix

_UNIT = 2.0**-53
# Entries of a block of rows: 1 MB of float64
_BLOCK = 2**17
# Columns of a factor at most
_FACTOR_COLUMNS = 4000
# What is added to the unit diagonal at least: the factor is a preconditioner
_JITTER = 1e-12
# Products of one direction at most, with a factor and without
_MOST, _MOST_DIAGONAL = 30, 500
# Iterations without progress that are waited for
_PATIENCE = 10
# Rounding of F: a rise by less is none
_LEVEL = 1e-13


class Point(NamedTuple):
    """A point with all that was computed from X at it."""

    x: np.ndarray  # coefficients, an intercept last
    value: float  # F
    gap: float  # a bound of the duality gap in exact arithmetic
    m: np.ndarray  # margins
    s: np.ndarray  # sigmoid(-m)
    h: np.ndarray  # s (1 - s)
    g: np.ndarray  # the gradient of F


class Problem:
    """X, y and lambda2, with products and directions.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, p)
    y : array of shape (n,), -1 and +1
    l2 : float
    intercept : bool
    """

    def __init__(self, X, y, l2, intercept):
        self.X, self.y, self.l2, self.intercept = X, y, l2, intercept
        self.n, self.p = X.shape
        self.q = self.p + intercept
        self.sparse = sparse.issparse(X)
        rows = max(32, _BLOCK // self.p)
        self.blocks = [
            slice(i, min(i + rows, self.n)) for i in range(0, self.n, rows)
        ]
        # additions in a row: scipy adds one entry after the other
        self.depth = min(rows, self.n) + len(self.blocks)
        if self.sparse:
            self.depth = self.n
        self.n_passes = self.n_gram = self.n_products = 0
        self.K = None
        #: the coefficients of rows are fewer than those of columns
        self.by_rows = (
            not self.sparse and self.n < self.p and self.n <= _FACTOR_COLUMNS
        )
        self.direct = not self.by_rows and self.p < _FACTOR_COLUMNS

    def block(self, rows):
        """Return rows of X as dense float64."""
        block = self.X[rows]
        if self.sparse:
            block = block.toarray()
        return block.astype(np.float64, copy=False)

    def forward(self, v):
        """Compute X v, an intercept's entry last in v."""
        self.n_passes += 1
        w, shift = v[:self.p], v[self.p:].sum()
        if self.sparse:
            return self.X @ w + shift
        return np.concatenate([
            self.block(rows) @ w for rows in self.blocks
        ]) + shift

    def backward(self, r):
        """Compute [X 1]' r, without the 1 where there is no intercept."""
        self.n_passes += 1
        if self.sparse:
            out = self.X.T @ r
        else:
            out = sum(r[rows] @ self.block(rows) for rows in self.blocks)
        return np.append(out, r.sum()) if self.intercept else out

    def at(self, x, tol=np.inf):
        """Compute a `Point`, its gap with the balanced dual point.

        The gap is bounded in exact arithmetic where it is within `tol`.
        """
        m = self.y * self.forward(x)
        s = expit(-m)
        h = s * expit(m)
        w, l2 = x[:self.p], self.l2
        value = np.logaddexp(0.0, -m).sum() + l2 / 2 * (w @ w)
        g = -self.backward(self.y * s)
        a, price = s, 0.0
        residual = g[:self.p] = g[:self.p] + l2 * w
        if self.intercept:
            a = s.copy()
            price = float(balance(self.y, m, a))
            residual = l2 * w - self.backward(self.y * a)[:self.p]
        square = residual @ residual
        gap = price + square / (2.0 * l2)
        if gap <= tol * value:
            gap = self.bounded(x, a, h, price, square)
        return Point(x, value, gap if value < np.inf else np.inf, m, s, h, g)

    def bounded(self, x, a, h, price, square):
        """Bound the gap in exact arithmetic, as `duality.bounded`.

        By the entries, so that a large row or column counts with its own
        weight.
        """
        w, shift = abs(x[:self.p]), abs(x[self.p:].sum())
        spread, turned, first = np.zeros(self.p), np.zeros(self.p), 0.0
        for rows in [slice(None)] if self.sparse else self.blocks:
            size = abs(self.X) if self.sparse else abs(self.block(rows))
            # what the margins may be wrong by, and the weights at those
            change = _UNIT * (self.p + 2) * (size @ w + shift)
            moved = change * np.minimum(
                0.25, h[rows] * np.exp(np.minimum(change, 30.0))
            )
            first += 0.5 * (change @ moved)
            spread += size.T @ a[rows]
            turned += size.T @ moved
        noise = 2.0 * _UNIT * (self.depth + 3) * np.linalg.norm(spread)
        noise += 2.0 * np.linalg.norm(turned)
        first = math.sqrt(price) + math.sqrt(first)
        second = math.sqrt(square) + noise
        return first * first + second * second / (2.0 * self.l2)

    def hessian(self, v, h):
        """Compute H v."""
        self.n_products += 1
        out = self.backward(h * self.forward(v))
        out[:self.p] += self.l2 * v[:self.p]
        return out

    def direction(self, point, damping, forcing):
        """Find a solution d of H d = -g, preconditioned by H + damping."""
        if self.by_rows and not damping:
            return self.direction_by_rows(point)
        inverse, most = None, _MOST_DIAGONAL
        if self.direct:
            unit, factor = self.factor(point.h, damping)
            most, inverse = _MOST, LinearOperator(
                (self.q, self.q), lambda r: cho_solve(factor, r)
            )
        else:
            unit = self.unit(point.h)
        # columns of norm 1, which makes the residual's norm the right one
        product = LinearOperator(
            (self.q, self.q),
            lambda v: unit * self.hessian(unit * v.ravel(), point.h),
        )
        return unit * cg(
            product, -unit * point.g, rtol=forcing, atol=0.0, maxiter=most,
            M=inverse,
        )[0]

    def unit(self, h):
        """Return what scales H to a unit diagonal."""
        self.n_passes += 1
        if self.sparse:
            squares = self.X.multiply(self.X).T @ h
        else:
            squares = sum(h[i] @ self.block(i)**2 for i in self.blocks)
        squares = np.append(squares + self.l2, h.sum())[:self.q]
        return 1.0 / np.sqrt(np.maximum(squares, 1e-300))

    def factor(self, h, damping):
        """Factor H with a little on its diagonal, scaled to a unit diagonal.

        Returns the scale and the factor.
        """
        unit = self.unit(h)
        H = np.diag(self.l2 * unit**2)
        if self.intercept:
            H[-1, -1] = 0.0
        for rows in self.blocks:
            A = self.block(rows)
            if self.intercept:
                A = np.hstack([A, np.ones((len(A), 1))])
            A = A * unit * np.sqrt(h[rows])[:, None]
            H += A.T @ A
        self.n_gram += 1
        H.flat[::self.q + 1] = 1.0
        return unit, _factor(H, max(damping, _JITTER))

    def direction_by_rows(self, point):
        """Find d by the n coefficients of w + d = X'a."""
        if self.K is None:
            self.K = kernel_matrix(self.X)
            self.n_gram += 1
        S = np.sqrt(np.maximum(point.h, 1e-200))
        # S z, where z are the working responses
        target = self.y * (S * point.m + point.s / S)
        M = S[:, None] * self.K * S
        M.flat[::self.n + 1] += self.l2
        factor = _factor(M, 0.0)
        a, d = cho_solve(factor, target), -point.x
        if self.intercept:
            ones = cho_solve(factor, S)
            b = (S @ a) / (S @ ones)
            a -= b * ones
            d[self.p] += b
        d[:self.p] += self.backward(S * a)[:self.p]
        return d

    def step(self, point, d):
        """Minimise F(x + t d) over t > 0 on the margins; 0 uphill."""
        dm, w = self.y * self.forward(d), d[:self.p]
        linear, bend = self.l2 * (point.x[:self.p] @ w), self.l2 * (w @ w)

        def slope(t):
            return linear + t * bend - expit(-point.m - t * dm) @ dm

        start, t = slope(0.0), 1.0
        if not start < 0.0:
            return 0.0
        if abs(slope(t)) <= -0.1 * start:
            return t
        while slope(t) < 0.0 and t < 1e9:
            t *= 8.0
        return brentq(slope, 0.0, t, rtol=1e-3) if slope(t) > 0.0 else t


def _factor(H, jitter):
    """Factor H + jitter I; more is added until that is positive definite."""
    top = H.diagonal().max()
    while jitter <= top:
        try:
            return cholesky(
                H + jitter * np.eye(len(H)), check_finite=False
            ), False
        except LinAlgError:
            jitter = max(1e-15 * top, 10.0 * jitter)
    raise LinAlgError("not finite")


def certified(problem, found):
    """Compute F and a bound of the gap of an outcome anew.

    Parameters
    ----------
    problem : result.Problem
    found : result.Outcome

    Returns
    -------
    Outcome
    """
    with np.errstate(all="ignore"):
        point = Problem(
            problem.X, problem.y, problem.l2, problem.intercept
        ).at(found.x)
    return found._replace(gap=point.gap, value=point.value)


def newton(X, y, l2, intercept, tol, max_iter, x):
    """Minimise F from x, which becomes the solution.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, p)
        Not changed, and no copy is made.
    y : array of shape (n,), -1.0 and +1.0
    l2, tol : float; intercept : bool; max_iter : int
    x : array of shape (q,), float64
        The start, becomes the best point found; an intercept comes last.

    Returns
    -------
    status : int
    gap, value : float
        A bound of the gap at x and F, where the numbers are finite.
    counts : tuple of four int
        Iterations, passes over the data, factors, products with the Hessian.
    """
    with np.errstate(all="ignore"):
        problem = Problem(X, y, float(l2), intercept)
        return _newton(problem, tol, max_iter, x)


def _newton(problem, tol, max_iter, x):
    point = problem.at(x.copy(), tol)
    if not point.value < np.inf:
        point = problem.at(np.zeros(len(x)), tol)
    best = point
    least, lowest, mark = point.gap, point.value, point.value
    damping, worse, n_iter = 0.0, 0, 0
    status = ITERATION_LIMIT
    while True:
        if point.gap <= tol * point.value:
            status = REACHED
            break
        if worse == _PATIENCE or not point.value < np.inf:
            status = FLOAT64_LIMIT
            break
        if n_iter >= max_iter:
            break
        n_iter += 1
        worse += 1
        forcing = min(0.1, math.sqrt(point.gap / point.value))
        try:
            d = problem.direction(point, damping, max(forcing, 1e-6))
        except LinAlgError:
            d = np.full(len(x), np.nan)
        t = problem.step(point, d) if np.isfinite(d).all() else 0.0
        new = problem.at(point.x + t * d, tol) if t > 0.0 else point
        if not t > 0.0 or not new.value <= lowest * (1.0 + _LEVEL):
            damping = max(1e-14, 100.0 * damping)
            continue
        damping = 0.01 * damping if damping > 1e-14 else 0.0
        point = new
        if point.gap < 0.5 * least or point.value < 0.999 * mark:
            worse, mark = 0, point.value
        if point.value < lowest * (1.0 - _LEVEL) or point.gap < best.gap:
            best = point
        lowest, least = min(lowest, point.value), min(least, point.gap)
    x[:] = best.x
    best = problem.at(x)
    if status == REACHED and not best.gap <= tol * best.value:
        status = FLOAT64_LIMIT
    counts = (
        n_iter, problem.n_passes, problem.n_gram, problem.n_products
    )
    return status, best.gap, best.value, counts
