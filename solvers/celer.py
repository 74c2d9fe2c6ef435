from sklearn.exceptions import ConvergenceWarning

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings
from benchmark_utils.wiring.writeable import writeable

with Library("pip install celer") as needs:
    from celer import celer_path


class Solver(LogisticSolver):
    """celer: working sets from extrapolated dual points, for L1 only.

    Its objective is F itself: sum_i log-loss_i + alpha |w|_1. ``celer-pn``
    solves the subproblems by prox-Newton, ``celer`` by coordinate descent.

    Timed: `celer_path` at the single alpha: what its LogisticRegression
    calls after its own checks and copies. Its tolerance is a gap to its best
    dual point, so far below the certificate of its coefficients (2e-9 where
    that is 4e-6): it gets the square of the benchmark's.
    """

    name = "celer"
    requirements = ["pip::celer"]
    needs = needs
    parameters = {"solver": ["celer-pn", "celer"]}
    choices = {"solver": ("celer-pn", "celer")}
    test_config = {"objective": {"l1": 0.1, "l2": 0.0}}
    sampling_strategy = "tolerance"
    references = [
        "M. Massias, A. Gramfort and J. Salmon, Celer: a fast solver for the "
        "Lasso with dual extrapolation, ICML 2018, arXiv:1802.07481",
        "M. Massias, S. Vaiter, A. Gramfort and J. Salmon, Dual "
        "extrapolation for sparse generalized linear models, JMLR 21, 2020, "
        "arXiv:1907.05830",
    ]

    language = "Cython"
    penalties = ("l1",)
    handles_intercept = False
    dense_layout = "F"
    sparse_layout = "csc"
    why_not = {
        "l2": "celer is for sparse models",
        "elasticnet": "celer has it for least squares only",
        "intercept": "celer has it for least squares only",
    }

    def arrange(self, X):
        return writeable(super().arrange(X))

    def solve(self, tol):
        with ignore_warnings(ConvergenceWarning):
            _, coefs, _ = celer_path(
                self.X, self.y, "logreg", alphas=[self.lmbd1], tol=tol**2,
                max_iter=1000, use_PN=self.solver == "celer-pn",
            )
        self.coef = coefs[:, 0]
