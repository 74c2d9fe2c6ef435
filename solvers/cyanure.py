import numpy as np
from sklearn.exceptions import ConvergenceWarning

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings, silence_output

with Library("pip install cyanure") as needs:
    from cyanure.estimators import Classifier


class Solver(LogisticSolver):
    """Cyanure: Miso, SVRG and ISTA, with Catalyst or QNing acceleration.

    Its objective is a mean, (1/n) sum_i log-loss_i + lambda_1 |w|_1
    + (lambda_2 / 2) |w|_2^2: our lambdas divided by n. (For a single penalty
    its strength is called lambda_1, whichever it is.)

    Timed: `fit` for at most ``n_iter`` epochs, without its optional input
    checks (``safe=False``). Its duality gap is computed at the last epoch
    only: where it is computed often, Cyanure also gives up early, as soon as
    F has risen a few times (FISTA stalls at 1e-3 then, here at 1e-14).
    """

    name = "cyanure"
    requirements = ["pip::cyanure"]
    needs = needs
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
    sampling_strategy = "iteration"
    references = [
        "J. Mairal, Cyanure: an open-source toolbox for empirical risk "
        "minimization, arXiv:1912.08165",
        "H. Lin, J. Mairal and Z. Harchaoui, An inexact variable metric "
        "proximal point algorithm for generic quasi-Newton acceleration, "
        "SIAM J. Optim. 29(2), 2019, arXiv:1610.00960",
    ]

    language = "C++"
    penalties = ("l2", "l1", "elasticnet")

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        # 1e-2 away from the optimum, however long it runs; with an intercept
        # it is right. `auto` may choose it.
        may_be_miso = "miso" in self.solver or self.solver == "auto"
        if lmbd1 and lmbd2 and not fit_intercept and may_be_miso:
            return True, (
                "does not handle the elasticnet penalty without an intercept "
                "(cyanure's Miso then minimizes something else)."
            )
        return False, None

    def prepare(self):
        n_samples = len(self.y)
        if self.lmbd1 and self.lmbd2:
            penalty, first, second = "elasticnet", self.lmbd1, self.lmbd2
        elif self.lmbd1:
            penalty, first, second = "l1", self.lmbd1, 0.0
        else:
            penalty, first, second = "l2", self.lmbd2, 0.0
        self.estimator = Classifier(
            loss="logistic", penalty=penalty, lambda_1=first / n_samples,
            lambda_2=second / n_samples, solver=self.solver,
            fit_intercept=self.fit_intercept, tol=1e-15, n_threads=1,
            random_state=self.get_seed(use_repetition=True) % 2**31,
            verbose=False, safe=False,
        )

    def solve(self, n_iter):
        self.estimator.max_iter = n_iter
        self.estimator.duality_gap_interval = n_iter
        with ignore_warnings(ConvergenceWarning), silence_output():
            self.estimator.fit(self.X, self.y)
        self.coef = np.ravel(self.estimator.coef_)
        if self.fit_intercept:
            self.intercept = float(np.ravel(self.estimator.intercept_)[0])
