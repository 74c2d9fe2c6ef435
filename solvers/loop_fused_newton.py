from benchmark_utils.base_solver import LogisticSolver
from benchmark_utils.intercept import (
    append_ones,
    ridge_diagonal,
    split_intercept,
)
from benchmark_utils.newton_kernels import loop_fused_newton


class Solver(LogisticSolver):
    """Newton with full steps, the Hessian in three loops, as in the notebook.

    The iteration of raw-newton, with gradient and Hessian accumulated in one
    pass of plain loops over samples and the lower triangle: n p^2 / 2
    multiply-adds an iteration and no temporary array, but no BLAS either.

    Timed: the whole of a compiled run of at most ``n_iter`` iterations.
    """

    name = "loop-fused-newton"
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
        x = loop_fused_newton(self.A, self.y, self.ridge, 1e-6, n_iter)
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)
