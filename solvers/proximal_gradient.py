import numpy as np

from benchmark_utils.baselines.proximal import (
    build,
    frobenius_norm,
    lipschitz_constant,
)
from benchmark_utils.fenchel import penalties as files
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.intercept import append_ones, split_intercept


class Solver(LogisticSolver):
    """Proximal gradient over any smooth f and any prox, as in the blog post.

    x <- prox_{a r}(z - a grad f(z)) with f the loss and r the penalty; z = x,
    or FISTA's extrapolation with restarts (`accelerated`). Two passes over X
    an iteration, three or more with backtracking. The function is the same
    in plain Python and compiled by numba (`compiled`); f and r are classes,
    compiled as well. So it takes every penalty that has a file in
    fenchel/penalties, convex or not.

    Timed: ``n_iter`` iterations, and for the fixed step a = 1 / L also
    L = |X|_2^2 / 4, the largest eigenvalue of the smaller Gram matrix
    (Lanczos where X is sparse). Backtracking starts at
    a = 4 min(n, p) / |X|_F^2.
    """

    name = "proximal-gradient"
    requirements = ["pip::numba", "pip::scipy"]
    parameters = {
        "accelerated": [False, True],
        "step": ["fixed", "backtracking"],
        "compiled": [True, False],
    }
    choices = {
        "accelerated": (False, True),
        "step": ("fixed", "backtracking"),
        "compiled": (False, True),
    }
    sampling_strategy = "iteration"
    references = [
        "A. Beck and M. Teboulle, A fast iterative shrinkage-thresholding "
        "algorithm, SIAM J. Imaging Sci. 2(1), 2009, doi:10.1137/080716542",
        "B. O'Donoghue and E. Candes, Adaptive restart for accelerated "
        "gradient schemes, 2015, doi:10.1007/s10208-013-9150-3",
    ]

    @property
    def penalties(self):
        return ("l2", "l1", "elasticnet", *files.names())

    def prepare(self):
        self.A = append_ones(self.X, self.fit_intercept)
        other = None
        if self.penalty != "elasticnet":
            other = files.load(self.penalty).from_problem(
                self.lmbd1, self.gamma, len(self.y)
            )
        self.proximal_gradient, self.f, self.r = build(
            self.A, self.y, self.lmbd1, self.lmbd2, self.X.shape[1],
            self.compiled, other,
        )

    def solve(self, n_iter):
        backtracking = self.step == "backtracking"
        x = self.proximal_gradient(
            self.f, self.r, np.zeros(self.A.shape[1]), self.first_step(),
            n_iter, self.accelerated, backtracking,
        )
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)

    def first_step(self):
        if self.step == "fixed":
            smoothness = lipschitz_constant(self.A)
        else:
            # |A|_2^2 is between |A|_F^2 / rank and |A|_F^2: start at the
            # largest step that could be right, halving finds the rest
            smoothness = frobenius_norm(self.A) ** 2 / min(self.A.shape) / 4
        # where X is zero, every step is right
        return 1.0 / smoothness if smoothness > 0 else 1.0
