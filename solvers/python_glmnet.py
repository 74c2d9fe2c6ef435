import numpy as np

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.constant import has_constant
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("pip install python-glmnet") as needs:
    from glmnet import LogitNet

# Below it no further digit is found
LEAST_THRESHOLD = 1e-24


class Solver(LogisticSolver):
    """python-glmnet: glmnet's Fortran of 2010, called from Python.

    Its objective is a mean, (1/n) sum_i log-loss_i + lambda (alpha |w|_1
    + (1 - alpha) / 2 |w|_2^2), so lambda = (lambda1 + lambda2) / n and alpha
    = lambda1 / (lambda1 + lambda2), without its standardization of columns.

    Timed: a whole `fit` for this one lambda at `tol`, the square of the
    benchmark's, since it is a share of the deviance; its checks and copies
    included.
    """

    name = "python-glmnet"
    requirements = ["pip::python-glmnet"]
    needs = needs
    sampling_strategy = "tolerance"
    references = [
        "J. Friedman, T. Hastie and R. Tibshirani, Regularization paths for "
        "generalized linear models via coordinate descent, J. Stat. Softw. "
        "33(1), 2010, doi:10.18637/jss.v033.i01",
    ]

    language = "Python, Fortran"
    penalties = ("l2", "l1", "elasticnet")
    dense_layout = "F"
    sparse_layout = "csc"

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        if has_constant(X):
            return True, "glmnet leaves columns that are constant out."
        return False, None

    def prepare(self):
        strength = self.lmbd1 + self.lmbd2
        self.arguments = dict(
            alpha=self.lmbd1 / strength,
            lambda_path=np.array([strength / len(self.y)]), standardize=False,
            fit_intercept=self.fit_intercept, n_splits=0, max_iter=1_000_000,
        )

    def solve(self, tol):
        estimator = LogitNet(
            tol=max(tol**2, LEAST_THRESHOLD), **self.arguments
        )
        with ignore_warnings():
            estimator.fit(self.X, self.y)
        self.coef = np.ravel(estimator.coef_path_)
        self.intercept = float(np.ravel(estimator.intercept_path_)[0])
