from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("make solvers-legacy (it has no wheel)") as needs:
    from lightning.classification import CDClassifier


class Solver(LogisticSolver):
    """lightning: coordinate descent on the primal, in Cython.

    Its objective is C sum_i log-loss_i + alpha R(w) with R = |w|_2^2 / 2 or
    |w|_1: F for C = 1 and alpha = lambda2 or lambda1.

    Timed: a whole `fit` of `CDClassifier` with at most ``n_iter`` sweeps,
    conversion to its own type of data included.
    """

    name = "lightning"
    requirements = ["pip::sklearn-contrib-lightning"]
    needs = needs
    sampling_strategy = "iteration"
    references = [
        "M. Blondel, K. Seki and K. Uehara, Block coordinate descent "
        "algorithms for large-scale sparse multiclass classification, "
        "Machine Learning 93, 2013, doi:10.1007/s10994-013-5367-2",
    ]

    language = "Cython"
    penalties = ("l2", "l1")
    handles_intercept = False
    dense_layout = "F"
    sparse_layout = "csc"
    why_not = {
        "elasticnet": "its penalties are one norm",
        "intercept": "CDClassifier has none",
    }

    def arrange(self, X):
        X = super().arrange(X)
        # it knows SciPy's matrices only, not its arrays
        return sparse.csc_matrix(X) if sparse.issparse(X) else X

    def prepare(self):
        self.estimator = CDClassifier(
            loss="log", C=1.0, alpha=self.lmbd1 or self.lmbd2,
            penalty="l1" if self.lmbd1 else "l2", tol=1e-14,
            # with it 32 of 72 random wide l1 problems stop above 1e-6
            shrinking=False,
            random_state=self.get_seed(use_repetition=True) % 2**31,
        )

    def solve(self, n_iter):
        self.estimator.max_iter = n_iter
        with ignore_warnings():
            self.estimator.fit(self.X, self.y)
        self.coef = self.estimator.coef_.ravel()
