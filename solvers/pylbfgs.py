import numpy as np

from benchmark_utils.baselines.smooth_objective import RidgeLogistic
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.intercept import split_intercept
from benchmark_utils.wiring.libraries import Library

with Library("pip install pylbfgs") as needs:
    from lbfgs import LBFGSError, fmin_lbfgs


class Solver(LogisticSolver):
    """libLBFGS, in C: L-BFGS, and OWL-QN where there is an L1 norm.

    Its objective is a smooth f, given by a callable, plus c |x|_1 over a range
    of the variables: F itself. OWL-QN keeps each step in one orthant.

    Timed: one call to a relative norm of the gradient of `tol`, two products
    with X an evaluation. It raises an error where its line search finds no
    better point, at the accuracy of float64; the last iterate counts then.
    """

    name = "pylbfgs"
    requirements = ["pip::pylbfgs"]
    needs = needs
    sampling_strategy = "tolerance"
    references = [
        "G. Andrew and J. Gao, Scalable training of L1-regularized log-linear "
        "models, ICML 2007, doi:10.1145/1273496.1273501",
        "D. C. Liu and J. Nocedal, On the limited memory BFGS method for "
        "large scale optimization, Math. Program. 45, 1989, "
        "doi:10.1007/BF01589116",
    ]

    language = "Python, C"
    penalties = ("l2", "l1", "elasticnet")

    def prepare(self):
        self.problem = RidgeLogistic(
            self.X, self.y, self.lmbd2, self.fit_intercept
        )
        self.options = {}
        if self.lmbd1:
            # both are left out without it: it would not take "default" then
            self.options = dict(
                orthantwise_c=self.lmbd1, orthantwise_end=self.X.shape[1],
                line_search="wolfe",
            )

    def solve(self, tol):
        self.problem.forget()
        last = np.zeros(self.problem.A.shape[1])

        def value_and_grad(x, grad):
            value, grad[:] = self.problem.value_and_grad(x)
            return value

        def keep(x, *_):
            last[:] = x

        try:
            # a first step may go far beyond what float64 holds
            with np.errstate(all="ignore"):
                x = fmin_lbfgs(
                    value_and_grad, np.zeros_like(last), progress=keep,
                    epsilon=tol, max_linesearch=100, **self.options,
                )
        except LBFGSError:
            x = last
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)
