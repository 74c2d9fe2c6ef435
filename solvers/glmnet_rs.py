import numpy as np

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.constant import has_constant
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("pip install glmnet-rs") as needs:
    from glmnetrs import glmnet

# Below it no further digit is found
LEAST_THRESHOLD = 1e-24


class Solver(LogisticSolver):
    """glmnet-rs: glmnet's coordinate descent, written again in Rust.

    Its objective is a mean, (1/n) sum_i log-loss_i + lambda (alpha |w|_1
    + (1 - alpha) / 2 |w|_2^2), so lambda = (lambda1 + lambda2) / n and alpha
    = lambda1 / (lambda1 + lambda2), without its standardization of columns.

    Timed: a whole call for this one lambda at `thresh`, the square of the
    tolerance, since it is a share of the deviance.
    """

    name = "glmnet-rs"
    requirements = ["pip::glmnet-rs"]
    needs = needs
    sampling_strategy = "tolerance"
    references = [
        "J. Friedman, T. Hastie and R. Tibshirani, Regularization paths for "
        "generalized linear models via coordinate descent, J. Stat. Softw. "
        "33(1), 2010, doi:10.18637/jss.v033.i01",
    ]

    language = "Rust"
    penalties = ("l2", "l1", "elasticnet")
    handles_sparse = False
    dense_layout = "F"
    why_not = {"sparse": "glmnet-rs takes it for least squares only"}

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        if has_constant(X):
            return True, "glmnet-rs leaves columns that are constant out."
        return False, None

    def prepare(self):
        strength = self.lmbd1 + self.lmbd2
        self.positive = (self.y > 0).astype(float)
        self.arguments = dict(
            family="binomial", alpha=self.lmbd1 / strength,
            lambda_=np.array([strength / len(self.y)]), standardize=False,
            intercept=self.fit_intercept, maxit=10_000_000,
        )

    def solve(self, tol):
        with ignore_warnings():
            path = glmnet(
                self.X, self.positive, thresh=max(tol**2, LEAST_THRESHOLD),
                **self.arguments,
            )
        self.coef = np.asarray(path.beta).ravel()
        self.intercept = float(np.ravel(path.a0)[0])
