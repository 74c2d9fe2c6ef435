import numpy as np

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings
from benchmark_utils.wiring.writeable import writeable

with Library("pip install sortedl1") as needs:
    from sortedl1 import Slope

# Of its relative duality gap; below it its loop goes to the last iteration
LEAST_TOLERANCE = 1e-14


class Solver(LogisticSolver):
    """sortedl1: hybrid coordinate descent for SLOPE, L1 with equal weights.

    Its objective is a mean, (1/n) sum_i log-loss_i + alpha sum_j lambda_j
    |w|_(j), the largest coefficient with the first weight: F for weights of
    one and alpha = lambda1 / n.

    Timed: a whole `fit` at `tol`, without centring and scaling.
    """

    name = "sortedl1"
    requirements = ["pip::sortedl1"]
    needs = needs
    test_config = {"objective": {"l1": 0.1, "l2": 0.0}}
    sampling_strategy = "tolerance"
    references = [
        "J. Larsson, Q. Klopfenstein, M. Massias and J. Wallin, Coordinate "
        "descent for SLOPE, AISTATS 2023, arXiv:2210.14780",
    ]

    language = "C++"
    penalties = ("l1",)
    dense_layout = "F"
    sparse_layout = "csc"
    why_not = {
        "l2": "it is for sparse models",
        "elasticnet": "its penalties are sorted L1 norms",
    }

    def arrange(self, X):
        return writeable(super().arrange(X))

    def prepare(self):
        self.positive = (self.y > 0).astype(float)
        self.arguments = dict(
            lam=np.ones(self.X.shape[1]), alpha=self.lmbd1 / len(self.y),
            loss="logistic", fit_intercept=self.fit_intercept,
            centering="none", scaling="none", max_iter=100_000,
        )

    def solve(self, tol):
        estimator = Slope(tol=max(tol, LEAST_TOLERANCE), **self.arguments)
        with ignore_warnings():
            estimator.fit(self.X, self.positive)
        self.coef = np.asarray(estimator.coef_).ravel()
        if self.fit_intercept:
            self.intercept = float(np.ravel(estimator.intercept_)[0])
