import numpy as np
from cyanure.estimators import Classifier
from sklearn.exceptions import ConvergenceWarning

from benchmark_utils.base_solver import LogisticSolver
from benchmark_utils.quiet import ignore_warnings, silence_output


class Solver(LogisticSolver):
    """Cyanure: Miso, SVRG and ISTA, with Catalyst or QNing acceleration.

    Its objective is a mean, (1/n) sum_i log-loss_i + lambda_1 |w|_1
    + (lambda_2 / 2) |w|_2^2: our lambdas divided by n. (For a single penalty
    its strength is called lambda_1, whichever it is.)

    Timed: `fit` without its optional input checks (``safe=False``), with
    `tol`, a relative duality gap computed every ten epochs.
    """

    name = "cyanure"
    requirements = ["pip::cyanure"]
    parameters = {
        "solver": [
            "qning-ista", "qning-miso", "catalyst-miso", "catalyst-svrg",
            "fista", "auto",
        ]
    }
    choices = {
        "solver": (
            "ista", "fista", "qning-ista", "miso", "catalyst-miso",
            "qning-miso", "svrg", "catalyst-svrg", "qning-svrg",
            "acc-svrg", "auto",
        )
    }
    sampling_strategy = "tolerance"
    references = [
        "J. Mairal, Cyanure: an open-source toolbox for empirical risk "
        "minimization, arXiv:1912.08165",
        "H. Lin, J. Mairal and Z. Harchaoui, An inexact variable metric "
        "proximal point algorithm for generic quasi-Newton acceleration, "
        "SIAM J. Optim. 29(2), 2019, arXiv:1610.00960",
    ]

    language = "C++"
    penalties = ("l2", "l1", "elasticnet")

    def set_objective(self, X, y, lmbd1, lmbd2, fit_intercept):
        super().set_objective(X, y, lmbd1, lmbd2, fit_intercept)
        n_samples = len(y)
        if lmbd1 and lmbd2:
            penalty, first, second = "elasticnet", lmbd1, lmbd2
        elif lmbd1:
            penalty, first, second = "l1", lmbd1, 0.0
        else:
            penalty, first, second = "l2", lmbd2, 0.0
        self.estimator = Classifier(
            loss="logistic", penalty=penalty, lambda_1=first / n_samples,
            lambda_2=second / n_samples, solver=self.solver,
            fit_intercept=fit_intercept, max_iter=10**6, n_threads=1,
            random_state=self.get_seed(use_repetition=True) % 2**31,
            verbose=False, safe=False,
        )

    def solve(self, tol):
        self.estimator.tol = tol
        with ignore_warnings(ConvergenceWarning), silence_output():
            self.estimator.fit(self.X, self.y)
        self.coef = np.ravel(self.estimator.coef_)
        if self.fit_intercept:
            self.intercept = float(np.ravel(self.estimator.intercept_)[0])
