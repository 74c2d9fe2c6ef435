import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.quiet import ignore_warnings

PENALTIES = {
    "lbfgs": ("l2",),
    "liblinear": ("l2", "l1"),
    "newton-cg": ("l2",),
    "newton-cholesky": ("l2",),
    "sag": ("l2",),
    "saga": ("l2", "l1", "elasticnet"),
    "newton-cd": ("l1", "elasticnet"),
    "newton-cd-gram": ("l1", "elasticnet"),
}
VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
# Merged, in no release up to 1.9
HAS_NEWTON_CD = VERSION >= (1, 10)
# From 1.8 on `l1_ratio` alone selects the penalty, and `penalty` warns
SELECTS_BY_RATIO = VERSION >= (1, 8)


class Solver(LogisticSolver):
    """scikit-learn's `LogisticRegression`.

    Its objective is C sum_i log-loss_i + r |w|_1 + (1 - r) / 2 |w|_2^2, which
    is F / (lambda1 + lambda2) for C = 1 / (lambda1 + lambda2) and
    r = lambda1 / (lambda1 + lambda2). liblinear would penalize an intercept,
    so it is not compared on problems with one.

    Timed: a whole `fit` with at most ``n_iter`` iterations, its input checks
    included, as a user pays them. The tolerance is 1e-14.
    """

    name = "sklearn"
    requirements = ["pip::scikit-learn"]
    parameters = {"solver": list(PENALTIES)}
    choices = {"solver": tuple(PENALTIES)}
    sampling_strategy = "iteration"
    references = [
        "F. Pedregosa et al., Scikit-learn: Machine Learning in Python, "
        "JMLR 12, 2011, https://jmlr.org/papers/v12/pedregosa11a.html",
        "R.-E. Fan et al., LIBLINEAR, JMLR 9, 2008, "
        "https://jmlr.org/papers/v9/fan08a.html",
        "A. Defazio, F. Bach and S. Lacoste-Julien, SAGA, arXiv:1407.0202",
    ]
    language = "Python, Cython"

    @property
    def penalties(self):
        return PENALTIES[self.solver]

    @property
    def handles_intercept(self):
        return self.solver != "liblinear"

    @property
    def why_not(self):
        return {
            "l1": f"scikit-learn's {self.solver} is for l2 only",
            "l2": f"scikit-learn's {self.solver} is for l1",
            "elasticnet": "only scikit-learn's saga and newton-cd do",
            "intercept": "liblinear penalizes the intercept",
        }

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        if self.solver.startswith("newton-cd") and not HAS_NEWTON_CD:
            return True, (
                f"scikit-learn {sklearn.__version__} does not have it: 1.10 "
                "will."
            )
        return False, None

    def prepare(self):
        lmbd1 = self.lmbd1
        strength = lmbd1 + self.lmbd2
        arguments = dict(C=1 / strength)
        if SELECTS_BY_RATIO:
            arguments["l1_ratio"] = lmbd1 / strength
        elif lmbd1 == 0:
            arguments["penalty"] = "l2"
        elif self.lmbd2 == 0:
            arguments["penalty"] = "l1"
        else:
            arguments.update(
                penalty="elasticnet", l1_ratio=lmbd1 / strength
            )
        self.estimator = LogisticRegression(
            solver=self.solver, tol=1e-14, fit_intercept=self.fit_intercept,
            random_state=self.get_seed(use_repetition=True) % 2**31,
            **arguments,
        )

    def solve(self, n_iter):
        self.estimator.max_iter = n_iter
        # the limit on the iterations is ours, and a line search that fails at
        # the accuracy of float64 is no news
        with ignore_warnings():
            self.estimator.fit(self.X, self.y)
        self.coef = self.estimator.coef_.ravel()
        self.intercept = float(np.ravel(self.estimator.intercept_)[0])
