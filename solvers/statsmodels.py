import numpy as np

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.intercept import (
    append_ones,
    ridge_diagonal,
    split_intercept,
)
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("pip install statsmodels") as needs:
    from statsmodels.api import GLM
    from statsmodels.genmod.families import Binomial

# SLSQP factorizes dense matrices of 4p x 2p: one point of a curve takes 20 s
# at p = 300
MAX_FEATURES_SLSQP = 300


class Solver(LogisticSolver):
    """statsmodels: the regularized fits of its generalized linear models.

    `GLM.fit_regularized` for the binomial family minimizes
    -log-likelihood / n + alpha (r |w|_1 + (1 - r) / 2 |w|_2^2), so
    alpha = (lambda1 + lambda2) / n and r = lambda1 / (lambda1 + lambda2).
    ``slsqp``: sequential quadratic programming with w between -u and u;
    ``coordinate-descent``: cyclic; for r = 0 it takes SciPy's ``bfgs``, in
    which no tolerance can be set. An alpha of zero leaves the intercept out
    of the penalty.

    Timed: the model and its fit at ``acc`` or ``cnvrg_tol``, without
    trimming small coefficients.
    """

    name = "statsmodels"
    requirements = ["pip::statsmodels"]
    needs = needs
    parameters = {"method": ["bfgs", "slsqp", "coordinate-descent"]}
    choices = {"method": ("bfgs", "slsqp", "coordinate-descent")}
    sampling_strategy = "tolerance"
    references = [
        "S. Seabold and J. Perktold, Statsmodels: econometric and "
        "statistical modeling with Python, SciPy 2010, "
        "doi:10.25080/Majora-92bf1922-011",
        "D. Kraft, Algorithm 733: TOMP, ACM TOMS 20(3), 1994, "
        "doi:10.1145/192115.192124",
    ]

    language = "Python"
    handles_sparse = False

    @property
    def penalties(self):
        return {
            "slsqp": ("l1",),
            "coordinate-descent": ("l1", "elasticnet"),
            "bfgs": ("l2",),
        }.get(self.method, ())

    why_not = {
        "l1": "bfgs needs a smooth objective",
        "l2": "for l2 alone statsmodels takes bfgs",
        "elasticnet": "of its methods coordinate-descent takes it",
        "sparse": "statsmodels would make them dense",
    }

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        if self.method == "slsqp" and X.shape[1] > MAX_FEATURES_SLSQP:
            return True, (
                "takes minutes for a point with more than "
                f"{MAX_FEATURES_SLSQP} features (SLSQP's dense matrices)."
            )
        return False, None

    def prepare(self):
        self.A = append_ones(self.X, self.fit_intercept)
        self.positive = (self.y > 0).astype(float)
        # a weight for every column, zero for the intercept
        self.strength = ridge_diagonal(
            self.A.shape[1], self.lmbd1 + self.lmbd2, self.fit_intercept
        )

    def solve(self, tol):
        if self.method == "slsqp":
            options = dict(method="l1_slsqp", acc=tol, trim_mode="off")
        else:
            options = dict(
                method="elastic_net", cnvrg_tol=tol, zero_tol=0.0,
                L1_wt=self.lmbd1 / (self.lmbd1 + self.lmbd2),
            )
        with ignore_warnings():
            model = GLM(self.positive, self.A, family=Binomial())
            fitted = model.fit_regularized(
                alpha=self.strength / len(self.y), maxiter=10**4, **options
            )
        self.coef, self.intercept = split_intercept(
            np.asarray(fitted.params), self.fit_intercept
        )
