import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from benchmark_utils.baselines.smooth_objective import RidgeLogistic
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.intercept import split_intercept

# Newton-CG: the notebook's xtol, a bound on the mean step. The others get
# tolerances below what float64 resolves, so that only the number of
# iterations ends them.
OPTIONS = {
    "Newton-CG": {"xtol": 1e-6},
    "L-BFGS-B": {"ftol": 0.0, "gtol": 1e-14, "maxfun": 10**9},
    "trust-ncg": {"gtol": 1e-14},
    "trust-krylov": {"gtol": 1e-14},
    "trust-exact": {"gtol": 1e-14},
}


class Solver(LogisticSolver):
    """`scipy.optimize.minimize` on F, its gradient and its Hessian.

    F, gradient and Hessian are NumPy expressions that share the product
    X @ w. Newton-CG as in the notebook: xtol=1e-6, from zero, the explicit
    Hessian where X is dense and tall (p <= n), else products H v, which cost
    two passes over X; trust-ncg and trust-krylov take products, trust-exact
    the explicit Hessian. L-BFGS-B takes L1 and elastic net as well, on
    w = u - v with u, v >= 0.

    Timed: a whole call of `minimize` with at most ``n_iter`` iterations.
    """

    name = "scipy"
    requirements = ["pip::scipy"]
    parameters = {"method": list(OPTIONS)}
    choices = {"method": tuple(OPTIONS)}
    sampling_strategy = "iteration"
    references = [
        "J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., "
        "doi:10.1007/978-0-387-40065-5",
        "C. Zhu, R. H. Byrd, P. Lu and J. Nocedal, Algorithm 778: L-BFGS-B, "
        "ACM TOMS 23(4), 1997, doi:10.1145/279232.279236",
    ]
    language = "Python, Fortran"

    @property
    def penalties(self):
        if self.method == "L-BFGS-B":
            return ("l2", "l1", "elasticnet")
        return ("l2",)

    @property
    def handles_sparse(self):
        return self.method != "trust-exact"

    why_not = {
        "l1": "the method needs a smooth objective; L-BFGS-B takes it",
        "elasticnet": "the method needs a smooth objective; "
        "L-BFGS-B takes it",
        "sparse": "trust-exact factorizes a dense Hessian",
    }

    def prepare(self):
        self.problem = RidgeLogistic(
            self.X, self.y, self.lmbd2, self.fit_intercept
        )

    def solve(self, n_iter):
        problem = self.problem
        problem.forget()
        if self.lmbd1:
            x = self.solve_split(problem, n_iter)
        else:
            x = self.minimize(
                problem.value_and_grad, np.zeros(problem.A.shape[1]), n_iter,
                **self.second_derivatives(problem),
            )
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)

    def minimize(self, value_and_grad, x0, n_iter, **derivatives):
        options = {**OPTIONS[self.method], "maxiter": n_iter}
        # trust-krylov, asked for more than float64 has, evaluates F at NaN
        with np.errstate(invalid="ignore"):
            return minimize(
                value_and_grad, x0, jac=True, method=self.method,
                options=options, **derivatives,
            ).x

    def second_derivatives(self, problem):
        if self.method == "L-BFGS-B":
            return {}
        n_samples, n_features = self.X.shape
        explicit = self.method == "trust-exact" or (
            self.method == "Newton-CG"
            and not sparse.issparse(self.X)
            and n_features <= n_samples
        )
        if explicit:
            return {"hess": problem.hess}
        return {"hessp": problem.hessp}

    def solve_split(self, problem, n_iter):
        """L1 as a linear term in u, v >= 0 with w = u - v."""
        p = self.X.shape[1]

        def value_and_grad(z):
            x = np.concatenate([z[:p] - z[p:2 * p], z[2 * p:]])
            value, grad = problem.value_and_grad(x)
            return value + self.lmbd1 * z[:2 * p].sum(), np.concatenate(
                [grad[:p] + self.lmbd1, self.lmbd1 - grad[:p], grad[p:]]
            )

        n_free = problem.A.shape[1] - p
        bounds = [(0, None)] * (2 * p) + [(None, None)] * n_free
        z = self.minimize(
            value_and_grad, np.zeros(2 * p + n_free), n_iter, bounds=bounds
        )
        return np.concatenate([z[:p] - z[p:2 * p], z[2 * p:]])
