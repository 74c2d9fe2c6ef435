import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from benchmark_utils.problem.products import measure
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("pip install skglm") as needs:
    import skglm.solvers
    from skglm.datafits import Logistic
    from skglm.penalties import L1, L2, SCAD, L1_plus_L2, MCPenalty

SOLVERS = {
    "ProxNewton": dict(max_iter=10**5),
    # 1000 working sets end at 4e-5 on 25 x 40 with an intercept
    "AndersonCD": dict(max_iter=10**5),
    "FISTA": dict(max_iter=10**6),
    "LBFGS": dict(max_iter=10**5),
}
# Of MCP and SCAD over lambda1 / n: below it AndersonCD gets no further on
# breast_cancer (2.7e-9), and at 1e-12 it does not end
LEAST_VIOLATION = 1e-9


class Solver(LogisticSolver):
    """skglm: working sets with prox-Newton or Anderson's coordinate descent.

    Its objective is a mean, (1/n) sum_i log-loss_i + alpha |w|_1, + alpha / 2
    |w|_2^2, or alpha (r |w|_1 + (1 - r) / 2 |w|_2^2): our lambdas divided by
    n; its gamma is ours. LBFGS wraps SciPy's and is for L2; the others are
    for L1 and both, AndersonCD for MCP and SCAD too.

    Timed: `solve` of its solver objects at `tol` on Fortran or CSC data,
    without the optional checks, with its choice of compiled classes.
    """

    name = "skglm"
    requirements = ["pip::skglm"]
    needs = needs
    parameters = {"solver": ["ProxNewton", "AndersonCD", "FISTA", "LBFGS"]}
    choices = {"solver": tuple(SOLVERS)}
    sampling_strategy = "tolerance"
    references = [
        "Q. Bertrand, Q. Klopfenstein, P.-A. Bannier, G. Gidel and "
        "M. Massias, Beyond L1: faster and better sparse models with skglm, "
        "NeurIPS 2022, arXiv:2204.07826",
        "Q. Bertrand and M. Massias, Anderson acceleration of coordinate "
        "descent, AISTATS 2021, arXiv:2011.10065",
    ]

    language = "Python, numba"
    dense_layout = "F"
    sparse_layout = "csc"

    @property
    def penalties(self):
        if self.solver == "LBFGS":
            return ("l2",)
        convex = ("l2", "l1", "elasticnet")
        # ProxNewton is meant for convex penalties, FISTA extrapolates
        return convex + ("mcp", "scad") * (self.solver == "AndersonCD")

    @property
    def handles_intercept(self):
        return self.solver in ("ProxNewton", "AndersonCD")

    why_not = {
        "l1": "LBFGS needs a smooth objective",
        "elasticnet": "LBFGS needs a smooth objective",
        "intercept": "skglm's FISTA and LBFGS have none",
        "mcp": "skglm's AndersonCD does",
        "scad": "skglm's AndersonCD does",
    }

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        if self.penalty not in ("mcp", "scad"):
            return False, None
        if lmbd2:
            return True, f"skglm has {self.penalty} without l2 only."
        # its steps are 1 / L_j = 4 n / |x_j|^2, and its prox is that of a
        # convex problem: it needs gamma above them (SCAD: gamma - 1)
        squares = measure(X).norms ** 2
        longest = 4 * X.shape[0] / squares[squares > 0].min(initial=np.inf)
        if self.gamma - (self.penalty == "scad") <= longest:
            return True, (
                f"gamma={self.gamma:g} is not above its step {longest:.3g}, "
                "where skglm's prox is not the minimiser."
            )
        return False, None

    def prepare(self):
        total = self.lmbd1 + self.lmbd2
        strength = total / len(self.y)
        if self.penalty in ("mcp", "scad"):
            kind = MCPenalty if self.penalty == "mcp" else SCAD
            self.own_penalty = kind(strength, self.gamma)
        elif self.lmbd1 == 0 and self.solver == "LBFGS":
            self.own_penalty = L2(strength)
        elif self.lmbd2 == 0:
            self.own_penalty = L1(strength)
        else:
            self.own_penalty = L1_plus_L2(strength, self.lmbd1 / total)
        arguments = dict(SOLVERS[self.solver])
        if self.handles_intercept:
            arguments["fit_intercept"] = self.fit_intercept
        self.method = getattr(skglm.solvers, self.solver)(**arguments)

    def warm_up(self):
        # A loose tolerance may be met at w = 0, before anything is compiled;
        # a strict one would cost a whole solve. So: a tiny problem.
        if self.each:
            self.each[0].warm_up()
            return
        X = np.random.default_rng(0).standard_normal((20, 5))
        y = np.where(np.arange(20) % 2, 1.0, -1.0)
        if sparse.issparse(self.X):
            X = sparse.csc_matrix(X)
        self.for_one(
            X, y, 0.1 if self.lmbd1 else 0.0, 0.1 if self.lmbd2 else 0.0,
            self.fit_intercept,
        ).run(1e-6)

    def solve(self, tol):
        if self.penalty in ("mcp", "scad"):
            tol = max(tol, LEAST_VIOLATION * self.lmbd1 / len(self.y))
        self.method.tol = tol
        with ignore_warnings(ConvergenceWarning):
            w = self.method.solve(
                self.X, self.y, Logistic(), self.own_penalty, run_checks=False
            )[0]
        self.coef = w[:self.X.shape[1]]
        self.intercept = float(w[-1]) if self.fit_intercept else 0.0
