r"""Newton's method in float64 on all rows, for what defeats the fast kernels.

It is plain NumPy, so nothing has to be compiled for a method that is rarely
needed, and takes sparse data too. Every point is computed afresh from X, F
never rises, and the best point is what is returned. Columns far from zero are
centred where there is an intercept, and scaled to norm 1 in the linear
systems.

The direction solves :math:`H d = -g`:

- by a Cholesky factor of H or, where H is nearly singular, as the least
  squares problem whose matrix is the square root of H; its condition is the
  root of H's;
- for n < p by Newton's method on the n coefficients of w = X'a,
  :math:`\alpha = S (\lambda_2 I + S K S)^{-1} S z`, where K = X X',
  S = diag(h)^(1/2) and z are the working responses (see `newton.kernel`);
- by conjugate gradients and the diagonal of H, where neither fits.

A. Bjorck, Numerical Methods for Least Squares Problems, 1996, chapter 2,
doi:10.1137/1.9781611971484.
"""
import math
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import (
    LinAlgError,
    cho_solve,
    cholesky,
    qr,
    solve_triangular,
)

from ..duality import class_factor
from ..result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED

_UNIT = 2.0**-53
# Plain Python: to compile it would take longer than most of these fits
_class_factor = class_factor.py_func
# Entries of a block of rows: 1 MB of float64
_BLOCK = 2**17
# Columns of a factor, and multiply-adds of a QR decomposition, at most
_FACTOR_COLUMNS, _QR_COST = 4000, 2e10
# Below this square of a diagonal entry of the Cholesky factor (of a matrix
# with unit diagonal) the solution has no eight digits
_SINGULAR = 1e-8
# Products of one direction at most, with a factor and without
_MOST, _MOST_DIAGONAL = 30, 500
# Iterations without progress that are waited for
_PATIENCE = 10
# Rounding of F: a rise by less is none
_LEVEL = 1e-13
# A mean of this many spreads: the column is centred
_FAR = 10.0
# Least curvature of a sample on the wrong side in the least squares problem,
# whose right hand side is s / sqrt(h)
_FLAT = 1e-12


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
    """X, y and lambda2, the columns of X centred and scaled where it helps.

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
        self.sparse = sparse.issparse(X)
        if self.sparse and not X.has_canonical_format:
            # SciPy's abs would sort the caller's arrays in place
            self.X = X.copy()
            self.X.sum_duplicates()
        rows = max(32, _BLOCK // self.p)
        self.blocks = [
            slice(i, min(i + rows, self.n)) for i in range(0, self.n, rows)
        ]
        # additions in a row: scipy adds one entry after the other
        self.depth = min(rows, self.n) + len(self.blocks)
        if self.sparse:
            self.depth = self.n
        self.n_passes = self.n_gram = self.n_products = 0
        self.centre = self.K = self.squared = None
        if self.sparse:
            self.measure_sparse()
        else:
            self.measure()
        #: the coefficients of rows are fewer than those of columns
        self.by_rows = (
            not self.sparse and self.n < self.p and self.n <= _FACTOR_COLUMNS
        )
        self.direct = not self.by_rows and self.p < _FACTOR_COLUMNS

    def measure(self):
        """Find `centre` and `scale`, 1 / column norms."""
        X, n = self.X, self.n
        largest = np.maximum(X.max(axis=0), -X.min(axis=0))
        unit = np.where(largest > 0.0, largest, 1.0).astype(np.float64)
        mean = sum((self.block(i) / unit).sum(axis=0) for i in self.blocks)
        mean /= n
        squares = np.zeros(self.p)
        for rows in self.blocks:
            block = self.block(rows) / unit - mean
            squares += np.einsum("ij,ij->j", block, block)
        if self.intercept and (n * mean**2 > _FAR**2 * squares).any():
            self.centre = mean * unit
        else:
            squares += n * mean**2
        norms = np.sqrt(squares) * unit
        self.scale = 1.0 / np.where(norms > 0.0, norms, 1.0)

    def measure_sparse(self):
        """Find `scale` of a sparse X, and keep |X| and the squares."""
        top = max(abs(self.X.data).max(initial=0.0), 1e-300)
        #: of X / top
        self.squared = (self.X.astype(np.float64) / top).tocsr()
        self.squared.data **= 2
        self.squared.data *= top * top
        norms = np.sqrt(self.squared.T @ np.ones(self.n))
        self.scale = 1.0 / np.where(norms > 0.0, norms, 1.0)
        self.magnitude = abs(self.X).astype(np.float64)

    def block(self, rows, centred=True):
        """Return rows of X as dense float64, centred if `centre` is there."""
        block = self.X[rows]
        if self.sparse:
            return block.toarray().astype(np.float64, copy=False)
        block = block.astype(np.float64, copy=False)
        if self.centre is None or not centred:
            return block
        return block - self.centre

    def forward(self, v, centred=True):
        """Compute X v, an intercept's entry last in v."""
        self.n_passes += 1
        shift = v[self.p:].sum()
        if self.sparse:
            return self.X @ v[:self.p] + shift
        return np.concatenate([
            self.block(rows, centred) @ v[:self.p] for rows in self.blocks
        ]) + shift

    def backward(self, r):
        """Compute [X 1]' r, without the 1 where there is no intercept."""
        self.n_passes += 1
        if self.sparse:
            out = self.X.T @ r
        else:
            out = sum(r[rows] @ self.block(rows) for rows in self.blocks)
        return np.append(out, r.sum()) if self.intercept else out

    def at(self, x, tol=np.inf, centred=True):
        """Compute a `Point`, its gap with the balanced dual point.

        The gap is bounded in exact arithmetic where it is within `tol`.
        `centred` tells whether the intercept is that of centred columns.
        """
        m = self.y * self.forward(x, centred)
        e = np.exp(-np.abs(m))
        s = np.where(m > 0.0, e, 1.0) / (1.0 + e)
        h = e / (1.0 + e)**2
        w, l2 = x[:self.p], self.l2
        value = (np.log1p(e) + np.maximum(-m, 0.0)).sum() + l2 / 2 * (w @ w)
        g = -self.backward(self.y * s)
        a, price = s, 0.0
        residual = g[:self.p] = g[:self.p] + l2 * w
        if self.intercept:
            a, price = self.balanced(m, s)
            residual = l2 * w - self.backward(self.y * a)[:self.p]
        square = residual @ residual
        gap = price + square / (2.0 * l2)
        if gap <= tol * value:
            gap = self.bounded(x, a, h, price, square)
        return Point(x, value, gap if value < np.inf else np.inf, m, s, h, g)

    def bounded(self, x, a, h, price, square):
        """Bound the gap in exact arithmetic, as `duality.bounded`.

        By the entries, so that a large row or column counts with its own
        weight; and with sum y a = 0 the product X'(y a) is that of the
        centred columns.
        """
        w, shift = abs(x[:self.p]), abs(x[self.p:].sum())
        spread, turned, first = np.zeros(self.p), np.zeros(self.p), 0.0
        for rows in [slice(None)] if self.sparse else self.blocks:
            if self.sparse:
                of_x = of_rows = self.magnitude
            else:
                of_x = abs(self.block(rows, False))
                of_rows = of_x
                if self.centre is not None:
                    of_rows = abs(self.block(rows))
            # what the margins may be wrong by, and the weights at those
            change = _UNIT * (self.p + 2) * (of_x @ w + shift)
            moved = change * np.minimum(
                0.25, h[rows] * np.exp(np.minimum(change, 30.0))
            )
            first += 0.5 * (change @ moved)
            spread += of_rows.T @ a[rows]
            turned += of_rows.T @ moved
        noise = 2.0 * _UNIT * (self.depth + 3) * np.linalg.norm(spread)
        noise += 2.0 * np.linalg.norm(turned)
        first = math.sqrt(price) + math.sqrt(first)
        second = math.sqrt(square) + noise
        return first * first + second * second / (2.0 * self.l2)

    def balanced(self, m, s):
        """Return weights a with sum y a = 0, and sum KL(a | s)."""
        c, sign = _class_factor(self.y @ s, s.sum())
        if not c < 1.0:
            return s, 0.0
        heavy = self.y * sign > 0.0
        dual = np.where(heavy, c * s, s)
        rest = np.logaddexp(0.0, np.log1p(-c) - m[heavy])
        log_c = np.log(c) if c > 0.0 else 0.0
        terms = dual[heavy] * log_c + (1.0 - dual[heavy]) * rest
        return dual, np.maximum(terms, 0.0).sum()

    def hessian(self, v, h):
        """Compute H v."""
        self.n_products += 1
        out = self.backward(h * self.forward(v))
        out[:self.p] += self.l2 * v[:self.p]
        return out

    def direction(self, point, damping, forcing, by_squares):
        """Find a solution d of (H + damping diag(H)) d = -g.

        `by_squares`: by least squares where H is nearly singular.
        """
        most = _MOST
        if self.by_rows and not damping:
            return self.direction_by_rows(point)
        if self.direct:
            scale, factor = self.factor(point.h, damping, by_squares)
            if factor is None:
                return self.least_squares(point, scale, max(damping, 1e-30))

            def solve(r):
                # what overflows is no direction, and no error
                return scale * cho_solve(
                    factor, scale * r, check_finite=False
                )
        else:
            most = _MOST_DIAGONAL
            inverse = 1.0 / ((1.0 + damping) * self.diagonal(point.h))

            def solve(r):
                return inverse * r

        return _conjugate_gradients(
            lambda v: self.hessian(v, point.h), solve, -point.g, forcing, most
        )

    def diagonal(self, h):
        """Compute the diagonal of H."""
        self.n_passes += 1
        if self.sparse:
            squares = self.squared.T @ h
        else:
            squares = sum(h[i] @ self.block(i)**2 for i in self.blocks)
        if self.intercept:
            squares = np.append(squares, h.sum())
        squares[:self.p] += self.l2
        return np.maximum(squares, 1e-300)

    def factor(self, h, damping, by_squares):
        """Factor diag(scale) (H + damping diag(H)) diag(scale).

        Returns the scale, for a unit diagonal, and None where the matrix is
        nearly singular, `by_squares`, and not too large for that.
        """
        q = self.p + self.intercept
        scale, ridge = np.ones(q), np.zeros(q)
        scale[:self.p] = self.scale
        ridge[:self.p] = self.l2 * self.scale**2
        H = np.zeros((q, q))
        roots = np.sqrt(h)
        for rows in self.blocks:
            A = self.weighted(rows, roots[rows], scale)
            H += A.T @ A
        self.n_gram += 1
        H.flat[::q + 1] += ridge
        unit = 1.0 / np.sqrt(np.maximum(H.diagonal(), 1e-300))
        H *= unit[:, None] * unit
        jitter = damping
        while True:
            H.flat[::q + 1] = 1.0 + jitter
            try:
                factor = cholesky(H, check_finite=False), False
                least = factor[0].diagonal().min()**2
            except LinAlgError:
                least = 0.0
            if least > _SINGULAR or least > 0.0 and jitter > damping:
                return scale * unit, factor
            if by_squares and (self.n + q) * q * q <= _QR_COST:
                return scale * unit, None
            jitter = max(1e-10, 10.0 * jitter)

    def least_squares(self, point, scale, damping):
        """Find d by a QR decomposition of the square root of H, by blocks."""
        q, l2 = len(scale), self.l2
        h = np.where(point.m < 0.0, np.maximum(point.h, _FLAT), point.h)
        roots = np.sqrt(np.maximum(h, 1e-300))
        # the last column is the right hand side
        R = np.zeros((2 * q, q + 1))
        R.flat[:q * (q + 1):q + 2] = math.sqrt(damping)
        R[q:, :q] = np.diag(math.sqrt(l2) * scale)
        R[q:, q] = -math.sqrt(l2) * point.x
        if self.intercept:
            R[-1] = 0.0
        for rows in self.blocks:
            right = self.y[rows] * point.s[rows] / roots[rows]
            R = np.vstack([R, np.column_stack([
                self.weighted(rows, roots[rows], scale), right
            ])])
            R = qr(R, mode="r", overwrite_a=True, check_finite=False)[0]
            R = R[:q + 1]
        return scale * solve_triangular(
            R[:q, :q], R[:q, q], check_finite=False
        )

    def weighted(self, rows, roots, scale):
        """Return rows of diag(roots) [X 1] diag(scale)."""
        A = self.block(rows) * scale[:self.p]
        if self.intercept:
            A = np.hstack([A, np.full((len(A), 1), scale[self.p])])
        return A * np.reshape(roots, (-1, 1))

    def direction_by_rows(self, point):
        """Find d by the n coefficients of w + d = X'a."""
        if self.K is None:
            self.K = np.zeros((self.n, self.n))
            step = max(1, 2**22 // self.n)
            for first in range(0, self.p, step):
                columns = slice(first, first + step)
                part = self.X[:, columns].astype(np.float64)
                if self.centre is not None:
                    part -= self.centre[columns]
                self.K += part @ part.T
            self.n_gram += 1
        S = np.sqrt(np.maximum(point.h, 1e-200))
        # S z, where z are the working responses
        target = self.y * (S * point.m + point.s / S)
        M = S[:, None] * self.K * S
        top, jitter = M.diagonal().max(), 0.0
        M.flat[::self.n + 1] += self.l2
        while True:
            try:
                factor = cholesky(M, check_finite=False), False
                break
            except LinAlgError:
                if jitter > top:
                    return np.zeros(len(point.x))
                jitter = max(1e-15 * top, 10.0 * jitter)
                M.flat[::self.n + 1] += jitter
        a, d = cho_solve(factor, target, check_finite=False), -point.x
        if self.intercept:
            ones = cho_solve(factor, S, check_finite=False)
            b = (S @ a) / (S @ ones)
            a -= b * ones
            d[self.p] += b
        d[:self.p] += self.backward(S * a)[:self.p]
        return d

    def step(self, point, d):
        """Minimise F(x + t d) over t > 0 on the margins; 0 uphill."""
        dm = self.y * self.forward(d)
        linear = self.l2 * (point.x[:self.p] @ d[:self.p])
        bend = self.l2 * (d[:self.p] @ d[:self.p])
        start = linear - point.s @ dm
        t, low, high = 1.0, 0.0, np.inf
        if not start < 0.0:
            return 0.0
        for _ in range(60):
            e = np.exp(-np.abs(point.m + t * dm))
            s = np.where(point.m + t * dm > 0.0, e, 1.0) / (1.0 + e)
            slope = linear + t * bend - s @ dm
            if abs(slope) <= -0.1 * start:
                return t
            low, high = (t, high) if slope < 0.0 else (low, t)
            then = t - slope / max(bend + (s * (1.0 - s)) @ dm**2, 1e-300)
            if high == np.inf:
                then = min(max(then, 2.0 * t), 10.0 * t)
            elif not low < then < high:
                then = 0.5 * (low + high)
            if abs(then - t) < 0.01 * t:
                break
            t = then
        return t if high == np.inf else low


def _conjugate_gradients(product, precondition, r, forcing, most):
    """Solve H d = r until the residual has fallen to `forcing` of r."""
    d = np.zeros(len(r))
    v = z = precondition(r)
    rz = first = r @ z
    for _ in range(most):
        Hv = product(v)
        curved = v @ Hv
        if not (curved > 0.0 and rz > 0.0):
            break
        d = d + rz / curved * v
        r = r - rz / curved * Hv
        z = precondition(r)
        previous, rz = rz, r @ z
        if not rz > forcing**2 * first:
            break
        v = z + rz / previous * v
    return d


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
        ).at(found.x, centred=False)
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
    p, centre = problem.p, problem.centre
    start = x.copy()
    if centre is not None:
        start[p] += centre @ x[:p]
    point = problem.at(start, tol)
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
        # where one kind of direction brings nothing, the other may
        d = problem.direction(
            point, damping, max(forcing, 1e-6), worse % 4 < 2
        )
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
    if centre is not None:
        # of X as it is
        x[p] -= centre @ x[:p]
    best = problem.at(x, centred=False)
    if status == REACHED and not best.gap <= tol * best.value:
        status = FLOAT64_LIMIT
    counts = (
        n_iter, problem.n_passes, problem.n_gram, problem.n_products
    )
    return status, best.gap, best.value, counts
