"""What the notebook's two Newton solvers have in common."""
import numba
import numpy as np

from benchmark_utils.baselines.newton_kernels import newton_many
from benchmark_utils.fenchel.newton.small.batch import pack_problems
from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.intercept import (
    append_ones,
    ridge_diagonal,
    split_intercept,
)

# The notebook's: the step below which it stops, and its most iterations
STEP, MAX_ITER = 1e-6, 100


class NotebookNewton(LogisticSolver):
    """Wiring for a kernel of `newton_kernels`, one problem or many.

    A subclass sets `kernel` (a static method) and `fused`.
    """

    sampling_strategy = "iteration"
    references = [
        "J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., "
        "chapter 3.3, doi:10.1007/978-0-387-40065-5"
    ]

    penalties = ("l2",)
    handles_sparse = False
    handles_many = True
    why_not = {
        "l1": "Newton's method needs second derivatives",
        "elasticnet": "Newton's method needs second derivatives",
        "sparse": "it forms a dense Hessian from a dense X",
    }

    def prepare(self):
        self.batch = None
        if isinstance(self.X, ManyProblems):
            designs, labels = zip(*self.X.split(self.y), strict=True)
            free = self.fit_intercept
            self.batch = pack_problems(
                [append_ones(X_k, free) for X_k in designs], labels
            )
            return
        self.A = append_ones(self.X, self.fit_intercept)
        self.ridge = ridge_diagonal(
            self.A.shape[1], self.lmbd2, self.fit_intercept
        )

    def solve(self, n_iter):
        n_iter = min(n_iter, MAX_ITER)
        if self.batch is not None:
            self.solve_batch(n_iter)
            return
        x = self.kernel(self.A, self.y, self.ridge, STEP, n_iter)
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)

    def solve_batch(self, n_iter):
        x = np.empty(self.batch.feature_offsets[-1])
        newton_many(
            numba.get_num_threads(), self.fused, tuple(self.batch),
            self.lmbd2, self.fit_intercept, STEP, n_iter, x,
        )
        if self.fit_intercept:
            last = self.batch.feature_offsets[1:] - 1
            self.intercept = x[last]
            x = np.delete(x, last)
        self.coef = x
