"""F for a ridge penalty as the callables that scipy.optimize asks for."""
import numpy as np
from scipy import sparse

from benchmark_utils.problem.loss import curvature, dual_weights, log_loss
from benchmark_utils.wiring.intercept import append_ones, ridge_diagonal


class RidgeLogistic:
    """F(x) = sum_i log(1 + exp(-y_i a_i'x)) + (1/2) sum_j ridge_j x_j^2.

    x holds the coefficients and, last, the intercept where there is one. The
    margins of the last x are kept, because an optimiser asks for value and
    Hessian at the same point in separate calls.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features), float64
    y : array of shape (n_samples,), -1 and +1
    lmbd2 : float
    fit_intercept : bool
    """

    def __init__(self, X, y, lmbd2, fit_intercept):
        self.A = append_ones(X, fit_intercept)
        self.y = y
        self.ridge = ridge_diagonal(self.A.shape[1], lmbd2, fit_intercept)
        self.forget()

    def forget(self):
        """Drop the kept margins, so that a run pays for its first ones."""
        self._x = None

    def margins(self, x):
        if self._x is None or not np.array_equal(x, self._x):
            self._x = x.copy()
            self._margins = self.y * (self.A @ x)
            self._curvature = None
        return self._margins

    def value_and_grad(self, x):
        """F and its gradient, one product with A and one with A.T."""
        margins = self.margins(x)
        residual = -self.y * dual_weights(margins)
        shrink = self.ridge * x
        return (
            log_loss(margins) + 0.5 * (x @ shrink),
            self.A.T @ residual + shrink,
        )

    def curvature(self, x):
        margins = self.margins(x)
        if self._curvature is None:
            self._curvature = curvature(margins)
        return self._curvature

    def hess(self, x):
        """The Hessian, a dense array of shape (n_columns, n_columns)."""
        s = self.curvature(x)
        if sparse.issparse(self.A):
            hessian = (self.A.T @ self.A.multiply(s[:, None])).toarray()
        else:
            hessian = self.A.T @ (self.A * s[:, None])
        hessian[np.diag_indices_from(hessian)] += self.ridge
        return hessian

    def hessp(self, x, v):
        """The Hessian times v, one product with A and one with A.T."""
        return self.A.T @ (self.curvature(x) * (self.A @ v)) + self.ridge * v
