from benchmark_utils.fenchel import (
    fit_logistic,
    fit_many,
    pack_problems,
    penalties,
)
from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.wiring.base_solver import LogisticSolver


class Solver(LogisticSolver):
    """Our own: L-BFGS and Newton's method in the form that fits the problem.

    `fenchel.fit_logistic`. Few columns by Newton, bent by
    the third derivative, in registers or one buffer in the cache or, for many
    samples, plain with one read of X a pass, which certifies; few samples as a
    problem of few columns, by a factor of X X'; others by preconditioned
    L-BFGS on a copy in float32 or half precision, the gradient updated by its
    change, on the diagonal of the Hessian until a Cholesky factor (n x n or
    p x p, sampled) has become cheaper than going on; float64 and a duality gap
    at the end. With an L1 norm, MCP, SCAD or another penalty's file a working
    set of columns, its Gram matrix and prox-Newton, corrected by secant
    pairs, each model minimised by coordinate descent and Newton's method on
    the support. docs/fenchel.md explains it.

    Timed: a whole call to a certified relative gap of `tol`, with input
    checks and the copy. Many small problems go through `fit_many`.
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
        "J. D. Lee, Y. Sun and M. A. Saunders, SIAM J. Optim. 24(3), 2014, "
        "doi:10.1137/130921428",
        "T. B. Johnson and C. Guestrin, Blitz, ICML 2015",
    ]

    handles_many = True
    why_not = {"tv": "it couples coefficients"}

    @property
    def penalties(self):
        others = penalties.selectable_names(separable=True)
        return ("l2", "l1", "elasticnet", *others)

    def prepare(self):
        self.batch = None
        # plain numbers: `fit_logistic` looks at types before anything else
        self.lmbd1, self.lmbd2 = float(self.lmbd1), float(self.lmbd2)
        self.fit_intercept = bool(self.fit_intercept)
        self.options = {}
        if self.penalty != "elasticnet":
            self.options = dict(
                penalty=self.penalty, gamma=float(self.gamma)
            )
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
        if self.batch is not None:
            self.coef, self.intercept, _ = fit_many(
                self.batch, l2=self.lmbd2, fit_intercept=self.fit_intercept,
                tol=tol, l1=self.lmbd1, **self.options,
            )
            return
        self.coef, self.intercept, _ = fit_logistic(
            self.X, self.y, self.lmbd1, self.lmbd2, self.fit_intercept, tol,
            **self.options,
        )
