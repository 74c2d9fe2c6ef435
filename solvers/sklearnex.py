import numpy as np

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("pip install scikit-learn-intelex") as needs:
    from sklearnex.linear_model import LogisticRegression


class Solver(LogisticSolver):
    """Intel's extension for scikit-learn: its solvers on oneDAL's kernels.

    scikit-learn's objective and arguments, F / lambda2 for C = 1 / lambda2;
    the loss, its gradient and its Hessian products are oneDAL's. Where
    oneDAL has none (sparse data) it falls back to scikit-learn's own.

    Timed: a whole `fit` with at most ``n_iter`` iterations, input checks
    included. The tolerance is 1e-14.
    """

    name = "sklearnex"
    requirements = ["pip::scikit-learn-intelex"]
    needs = needs
    parameters = {"solver": ["lbfgs", "newton-cg"]}
    choices = {"solver": ("lbfgs", "newton-cg")}
    sampling_strategy = "iteration"
    references = [
        "F. Pedregosa et al., Scikit-learn: Machine Learning in Python, "
        "JMLR 12, 2011, https://jmlr.org/papers/v12/pedregosa11a.html",
    ]

    language = "C++"
    penalties = ("l2",)
    why_not = {
        "l1": "oneDAL's solvers are for l2",
        "elasticnet": "oneDAL's solvers are for l2",
    }

    def prepare(self):
        self.estimator = LogisticRegression(
            C=1 / self.lmbd2, solver=self.solver, tol=1e-14,
            fit_intercept=self.fit_intercept,
        )

    def solve(self, n_iter):
        self.estimator.max_iter = n_iter
        with ignore_warnings():
            self.estimator.fit(self.X, self.y)
        self.coef = self.estimator.coef_.ravel()
        self.intercept = float(np.ravel(self.estimator.intercept_)[0])
