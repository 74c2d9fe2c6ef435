"""L2 logistic regression by the method that fits the problem, certified.

>>> from benchmark_utils.auto_newton import fit_logistic
>>> coef, intercept, info = fit_logistic(X, y, l2=1.0)  # doctest: +SKIP

`docs/fast_newton.md` explains the regimes and what each idea gained.
"""
import numpy as np
from scipy import sparse

from benchmark_utils.dense_newton import DenseFit
from benchmark_utils.gram_kernel import PANEL, padded
from benchmark_utils.newton_cg import (
    CHOLESKY,
    GRAM32,
    NEEDS_CARE,
    newton,
)
from benchmark_utils.sparse_passes import as_rows
from benchmark_utils.tiny_newton import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    REACHED,
    fit_one,
    fit_tiny,
    workspace,
)

STATUS = {
    REACHED: "reached the tolerance",
    FLOAT64_LIMIT: "stopped at the accuracy that float64 allows",
    ITERATION_LIMIT: "stopped at max_iter iterations",
}
# Up to here one function without temporaries is faster than everything else
_TINY_ENTRIES, _TINY_COLUMNS = 4096, 16
_DOUBLE = np.dtype(np.float64)
# Up to here the Gram matrix is formed in float64: it costs little more than
# in float32 (measured 0.10 and 0.067 ms at 1797 x 64) and never fails
_DOUBLE_COLUMNS = 64
# A careful fit factorizes a Gram matrix of at most this many columns
_CAREFUL_COLUMNS = 4000
# Seconds a stored entry: a fused pass over dense float32, over CSR
_DENSE_ENTRY, _SPARSE_ENTRY = 4 / 2.5e10, 2e-9
# Products with H that a fit without a factor takes, and factors that a fit
# with one takes, for comparison
_PRODUCTS, _FACTORS = 25, 3


def fit_logistic(
    X, y, l1=0.0, l2=1.0, fit_intercept=False, tol=1e-8, max_iter=1000,
    coef_init=None, intercept_init=0.0, float32_copy=True,
):
    r"""Minimise F and certify the result.

    .. math::
        F(w, b) = \sum_i \log(1 + e^{-y_i (x_i^\top w + b)})
                  + \tfrac{\lambda_2}{2} \|w\|_2^2

    Parameters
    ----------
    X : array or scipy sparse matrix of shape (n_samples, n_features)
        float64 or float32 are used as they are, other types are converted.
        Dense C order and CSR need no conversion. Not changed.
    y : array of shape (n_samples,)
        Any two values; the larger is the positive class.
    l1 : float
        lambda1; only 0.0 so far.
    l2 : float, > 0
        lambda2 itself; scikit-learn's C is 1 / l2.
    fit_intercept : bool
        Fit an intercept, which is not penalized.
    tol : float
        Stop at this certified relative duality gap, (F - D) / F.
    max_iter : int
        Newton iterations.
    coef_init : array of shape (n_features,), optional
    intercept_init : float
        Start from there instead of zero.
    float32_copy : bool
        Make a copy of X in float32 for Hessian products where that is
        faster; without it no copy of X is made.

    Returns
    -------
    coef : array of shape (n_features,), float64
    intercept : float
    info : dict
        `regime` and `why` it was chosen; `n_iter`, `n_passes` over the data,
        `n_gram` matrices formed, `n_products` with the Hessian; `objective`
        F; `relative_gap`, certified; `converged`, and `status` in words.

    Raises
    ------
    ValueError
        For data or parameters that define no problem; says what to do.
    NotImplementedError
        For l1 != 0.

    References
    ----------
    J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., chapter 7,
    doi:10.1007/978-0-387-40065-5. R. H. Byrd, G. M. Chin, W. Neveitt and
    J. Nocedal, "On the use of stochastic Hessian information in optimization
    methods for machine learning", SIAM J. Optim. 21(3), 2011,
    doi:10.1137/10079923X (sampled Hessians).
    """
    if l1:
        raise NotImplementedError(
            f"l1={l1}: only the L2 penalty is implemented; set l1=0."
        )
    if not 0.0 < l2 < np.inf:
        raise ValueError(f"l2={l2} must be positive and finite.")
    if (
        coef_init is None and type(X) is np.ndarray and X.dtype is _DOUBLE
        and type(y) is np.ndarray and y.dtype is _DOUBLE
        and 0 < X.size <= _TINY_ENTRIES and X.ndim == 2
        and X.flags.c_contiguous and y.shape == X.shape[:1]
    ):
        # the same as below in one call: 3 us instead of 7 at 10 x 2
        p = X.shape[1]
        q = p + 1 if fit_intercept else p
        if q <= _TINY_COLUMNS and len(y) * q <= _TINY_ENTRIES:
            x = np.zeros(q)
            result = fit_one(
                X, y, float(l2), q > p, float(tol), int(max_iter), x
            )
            if result[0] >= 0:
                return _tiny_result(X, x, *result)
    is_sparse = sparse.issparse(X)
    if is_sparse:
        X = X.tocsr()
    elif type(X) is not np.ndarray:
        X = np.asarray(X)
    if X.dtype != np.float64 and X.dtype != np.float32:
        X = X.astype(np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(
            f"X has shape {X.shape}: give (n_samples, n_features), both at "
            "least 1."
        )
    n, p = X.shape
    y = _signs(y, n)
    q = p + bool(fit_intercept)
    x = np.zeros(q)
    if coef_init is not None:
        x[:p] = coef_init
        if fit_intercept:
            x[p] = intercept_init
        if not np.isfinite(x).all():
            raise ValueError("coef_init and intercept_init must be finite.")
    if not is_sparse and n * q <= _TINY_ENTRIES and q <= _TINY_COLUMNS:
        return _fit_tiny(X, y, l2, bool(fit_intercept), tol, max_iter, x)
    if not is_sparse:
        return _fit_dense(
            X, y, float(l2), bool(fit_intercept), float(tol), int(max_iter),
            x, bool(float32_copy),
        )
    fit = _Fit(
        X, y, float(l2), bool(fit_intercept), float(tol), int(max_iter), x,
        float32_copy,
    )
    return fit.run()


def _signs(y, n_samples):
    """y as -1.0 and +1.0."""
    y = np.asarray(y)
    if y.shape != (n_samples,):
        raise ValueError(
            f"y has shape {y.shape}, X has {n_samples} samples: give one "
            "label a sample."
        )
    if y.dtype == np.float64:
        positive = y == 1.0
        count = np.count_nonzero(positive)
        if 0 < count < n_samples and (
            count + np.count_nonzero(y == -1.0) == n_samples
        ):
            return y
    classes = np.unique(y)
    if len(classes) != 2 or classes[1] != classes[1]:
        raise ValueError(
            f"y has {len(classes)} classes ({classes[:4].tolist()}): "
            "logistic regression needs samples of exactly two."
        )
    return np.where(y == classes[1], 1.0, -1.0)


def _fit_tiny(X, y, l2, fit_intercept, tol, max_iter, x):
    n, p = X.shape
    size = X.itemsize
    strides = X.strides
    if strides[0] == p * size and strides[1] == size:
        flat, steps = X.reshape(-1), (p, 1)
    elif strides[0] == size and strides[1] == n * size:
        flat, steps = X.T.reshape(-1), (1, n)
    else:
        flat, steps = np.ascontiguousarray(X).reshape(-1), (p, 1)
    result = fit_tiny(
        flat, 0, steps[0], steps[1], n, p, y, 0, l2, fit_intercept, tol,
        max_iter, *workspace(n, len(x)), x, 0,
    )
    return _tiny_result(X, x, *result)


def _tiny_result(X, x, n_iter, status, gap, value):
    if not gap < np.inf:
        _refuse_data(X)
    info = {
        "regime": "tiny",
        "why": "X and its Gram matrix fit the first-level cache",
        "n_iter": n_iter, "n_passes": 3 * n_iter + 1, "n_gram": n_iter,
        "n_products": 0, "objective": value,
        "relative_gap": gap / value if value > 0 else 0.0,
        "converged": status == REACHED, "status": STATUS[status],
    }
    p = X.shape[1]
    if len(x) > p:
        return x[:p], float(x[p]), info
    return x, 0.0, info


def _fit_dense(X, y, l2, fit_intercept, tol, max_iter, x, float32_copy):
    p = X.shape[1]
    fit = DenseFit(X, y, l2, fit_intercept, tol, max_iter, x, float32_copy)
    status, gap, value = fit.run()
    if not gap < np.inf:
        _refuse_data(X)
    n_iter, n_passes, n_gram, n_products = fit.counts.tolist()
    info = {
        "regime": fit.regime, "why": fit.why, "n_iter": n_iter,
        "n_passes": n_passes, "n_gram": n_gram, "n_products": n_products,
        "objective": value,
        "relative_gap": min(gap / value, 1.0) if value > 0 else 0.0,
        "converged": status == REACHED, "status": STATUS[status],
    }
    return x[:p], float(x[p]) if fit_intercept else 0.0, info


def _refuse_data(X):
    entries = X.data if sparse.issparse(X) else X
    if not np.isfinite(entries).all():
        raise ValueError(
            "X contains NaN or infinity: impute or drop those entries."
        )
    raise ValueError(
        "a product with X overflows float64: scale its columns."
    )


class _Fit:
    """One fit that is not tiny: the regime, the buffers, the retries."""

    def __init__(
        self, X, y, l2, fit_intercept, tol, max_iter, x, float32_copy
    ):
        self.n, self.p = X.shape
        self.q = len(x)
        self.original = X
        self.y, self.l2, self.tol = y, l2, tol
        self.fit_intercept, self.max_iter = fit_intercept, max_iter
        self.w = x[:self.p]
        self.b = float(x[self.p]) if fit_intercept else 0.0
        self.counts = np.zeros(4, dtype=np.int64)
        self.sparse = sparse.issparse(X)
        entries = X.nnz if self.sparse else X.size
        self.pass_cost = entries * (
            _SPARSE_ENTRY if self.sparse else _DENSE_ENTRY
        )
        self.choose(float32_copy)

    def choose(self, float32_copy):
        """Factorize H or not, in which precision."""
        n, p, q = self.n, self.p, self.q
        rows = min(n, 10 * q)
        factor = rows * q * q / (2 * GRAM32) + q**3 / (6 * CHOLESKY)
        self.direct = (
            _FACTORS * factor <= _PRODUCTS * self.pass_cost
            and q <= _CAREFUL_COLUMNS
        ) or (q <= _DOUBLE_COLUMNS and not self.sparse)
        # rows of fewer entries cost less than to find out which count
        self.sparing = p >= 50
        if self.direct and q <= _DOUBLE_COLUMNS:
            self.single, self.sample = False, 100 * q
            self.regime = "small"
            self.why = f"{q} columns: Gram matrices in float64 are cheap"
        elif self.direct:
            self.single, self.sample = True, 10 * q
            self.regime = "tall"
            self.why = (
                f"{_FACTORS} factors of {q} columns from {rows} rows are "
                f"cheaper than {_PRODUCTS} products with H"
            )
        else:
            self.single, self.sample = True, 0
            self.regime = "sparse" if self.sparse else "wide"
            self.why = (
                f"{_PRODUCTS} products with H are cheaper than {_FACTORS} "
                f"factors of {q} columns"
            )
        self.single = self.single and float32_copy
        if not (self.single or self.sparse):
            self.pass_cost *= 2.0
        if not self.sparse and not self.original.flags.c_contiguous:
            self.original = np.ascontiguousarray(self.original)

    def run(self):
        X = self.original
        y = self.y
        if self.sparse:
            X = as_rows(X, X.dtype)
        A = X
        if self.single and self.original.dtype != np.float32:
            if self.sparse:
                A = as_rows(self.original, np.float32)
            else:
                A = X.astype(np.float32)
        buffers = self.buffers((A.data if self.sparse else A).dtype)
        factored = False
        if self.direct and not self.sparse and not self.w.any():
            factored = self.warm_start(A, buffers)
        status, gap, value = self.call(
            X, A, y, self.l2, self.tol, self.max_iter, False, factored,
            buffers,
        )
        if not gap < np.inf:
            _refuse_data(self.original)
        if status == NEEDS_CARE:
            self.regime += ", careful"
            self.why += (
                "; its directions stalled, so all rows and float64 after "
                f"{self.counts[0]} iterations"
            )
            self.direct = self.q <= _CAREFUL_COLUMNS
            status, gap, value = self.call(
                X, X, y, self.l2, self.tol,
                max(self.max_iter, 2 * int(self.counts[0])), True, False,
                self.buffers(np.float64),
            )
        n_iter, n_passes, n_gram, n_products = self.counts.tolist()
        info = {
            "regime": self.regime, "why": self.why, "n_iter": n_iter,
            "n_passes": n_passes, "n_gram": n_gram,
            "n_products": n_products, "objective": value,
            "relative_gap": min(gap / value, 1.0) if value > 0 else 0.0,
            "converged": status == REACHED, "status": STATUS[status],
        }
        return self.w, self.b, info

    def buffers(self, dtype):
        """(V, R, panel, C, L, scale); allocated by NumPy, whose large
        arrays cost fewer page faults than numba's."""
        q = self.q if self.direct else 0
        width = -(-padded(q, dtype) // 8) * 8
        return (
            np.empty((7, self.n)), np.empty((3, self.n), dtype=np.int64),
            np.zeros((PANEL if q else 0, width), dtype),
            np.empty((width, width), dtype), np.empty((q, q), dtype),
            np.empty(self.q),
        )

    def call(
        self, X, A, y, l2, tol, max_iter, careful, factored, buffers
    ):
        n = len(y)
        V, R, panel, C, L, scale = buffers
        data = A.data if self.sparse else A
        Z = np.empty(n + 2 * self.p, dtype=data.dtype)
        self.b, status, gap, value = newton(
            X, A, A is X, self.pass_cost * n / self.n, y, l2,
            self.fit_intercept, tol, max_iter, careful, self.sparing,
            self.sample, self.direct, factored, self.w, self.b, V, R, Z,
            panel, C, L, scale, self.counts,
        )
        return status, gap, value

    def warm_start(self, A, buffers):
        """Fit every 8th, 64th, ... row first, for a start and a factor.

        With n samples of p features the minimiser of an eighth of the rows
        is within p / (n / 8) of the whole one, at an eighth of the cost, and
        its factor serves as preconditioner (statistical error sqrt(8 p / n)).
        """
        V, R, panel, C, L, scale = buffers
        steps = []
        step = 8
        while self.n // step >= 50 * self.q:
            steps.append(step)
            step *= 8
        factored = False
        for step in reversed(steps):
            rows = np.ascontiguousarray(A[::step])
            y = np.ascontiguousarray(self.y[::step])
            if not -len(y) < y.sum() < len(y):
                continue
            n = len(y)
            parts = (
                np.empty((7, n)), np.empty((3, n), dtype=np.int64), panel,
                C, L, scale,
            )
            status, gap, _ = self.call(
                rows, rows, y, self.l2 * n / self.n, 0.1, 20, False,
                factored, parts,
            )
            if status == NEEDS_CARE or not gap < np.inf:
                self.w[:] = 0.0
                self.b = 0.0
                self.counts[:] = 0
                return False
            # the Gram matrix of eight times the rows is eight times larger
            scale /= np.sqrt(8.0)
            factored = True
        # iterations on a part of the rows are not counted
        self.counts[:] = 0
        return factored
