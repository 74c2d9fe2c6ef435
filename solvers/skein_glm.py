import os

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("pip install skein-glm") as needs:
    # read when its threads start
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    from skein_glm import LogisticElasticNetRegressor

# Below it both loops go on for minutes; at it gaps are 1e-11 and less
LEAST_TOLERANCE = 1e-12
RESCALED = "skein's is rescaled at each step: another problem"


class Solver(LogisticSolver):
    """skein: prox-Newton by coordinate descent on working sets, in Rust.

    Its objective is a mean, (1/n) sum_i log-loss_i + lambda (alpha |w|_1
    + (1 - alpha) / 2 |w|_2^2), so lambda = (lambda1 + lambda2) / n and alpha
    = lambda1 / (lambda1 + lambda2).

    Timed: a whole `fit` at `tol` for both loops.
    """

    name = "skein-glm"
    requirements = ["pip::skein-glm"]
    needs = needs
    sampling_strategy = "tolerance"
    references = ["https://pypi.org/project/skein-glm/"]

    language = "Rust"
    penalties = ("l2", "l1", "elasticnet")
    dense_layout = "F"
    sparse_layout = "csc"
    why_not = {"mcp": RESCALED, "scad": RESCALED}

    def prepare(self):
        strength = self.lmbd1 + self.lmbd2
        self.positive = (self.y > 0).astype(float)
        self.arguments = dict(
            lambda_=strength / len(self.y), alpha=self.lmbd1 / strength,
            fit_intercept=self.fit_intercept, max_iter=10_000, max_outer=100,
        )

    def solve(self, tol):
        tol = max(tol, LEAST_TOLERANCE)
        estimator = LogisticElasticNetRegressor(
            **self.arguments, tol=tol, outer_tol=tol
        )
        with ignore_warnings():
            estimator.fit(self.X, self.positive)
        self.coef = estimator.coef_
        self.intercept = float(estimator.intercept_)
