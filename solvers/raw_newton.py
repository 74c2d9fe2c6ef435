from benchmark_utils.base_solver import LogisticSolver
from benchmark_utils.intercept import (
    append_ones,
    ridge_diagonal,
    split_intercept,
)
from benchmark_utils.newton_kernels import raw_newton


class Solver(LogisticSolver):
    """Newton with full steps in numba, as in the notebook ("raw Newton").

    x <- x - H^{-1} g with H = X' diag(s) X + lambda2 I from one matrix
    product and a dense linear solve (LAPACK): n p^2 + p^3 / 3 operations an
    iteration. Stops when the step is shorter than 1e-6 or after 100
    iterations, as there. No line search: it may diverge.

    Timed: the whole of a compiled run of at most ``n_iter`` iterations.
    """

    name = "raw-newton"
    requirements = ["pip::numba"]
    sampling_strategy = "iteration"
    references = [
        "J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., "
        "chapter 3.3, doi:10.1007/978-0-387-40065-5"
    ]

    penalties = ("l2",)
    handles_sparse = False
    why_not = {
        "l1": "Newton's method needs second derivatives",
        "elasticnet": "Newton's method needs second derivatives",
        "sparse": "it forms a dense Hessian from a dense X",
    }

    def set_objective(self, X, y, lmbd1, lmbd2, fit_intercept):
        super().set_objective(X, y, lmbd1, lmbd2, fit_intercept)
        self.A = append_ones(self.X, fit_intercept)
        self.ridge = ridge_diagonal(self.A.shape[1], lmbd2, fit_intercept)

    def solve(self, n_iter):
        n_iter = min(n_iter, 100)
        x = raw_newton(self.A, self.y, self.ridge, 1e-6, n_iter)
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)
