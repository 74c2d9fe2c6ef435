from functools import cache

import numpy as np
from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings

with Library("pip install copt") as needs:
    import copt
    from copt.loss import LogLoss
    from copt.penalty import L1Norm


@cache
def derivative():
    """copt's derivative of the loss, compiled once for all problems."""
    return LogLoss(np.zeros((1, 1)), np.zeros(1)).partial_deriv


class Solver(LogisticSolver):
    """copt: proximal gradient and its stochastic variants.

    Its objective is a mean, (1/n) sum_i log-loss_i + alpha / 2 |w|_2^2
    + beta |w|_1: our lambdas divided by n. ``pgd`` and ``accelerated``
    (FISTA) search for their step by backtracking, ``saga`` and ``svrg``
    take 1 / (3 L) for L = max_i |x_i|^2 / 4 + alpha.

    Timed: one call, iteration by iteration (an epoch of saga and svrg).
    SAGA and SVRG compile their epoch in each call, about half a second of
    the first one, which their users pay as well.
    """

    name = "copt"
    requirements = ["pip::copt"]
    needs = needs
    parameters = {"method": ["pgd", "accelerated", "saga", "svrg"]}
    choices = {"method": ("pgd", "accelerated", "saga", "svrg")}
    sampling_strategy = "callback"
    references = [
        "F. Pedregosa, G. Negiar and G. Dresdner, copt: composite "
        "optimization in Python, 2020, doi:10.5281/zenodo.1283339",
        "A. Beck and M. Teboulle, A fast iterative shrinkage-thresholding "
        "algorithm, SIAM J. Imaging Sci. 2(1), 2009, doi:10.1137/080716542",
        "F. Pedregosa, R. Leblond and S. Lacoste-Julien, Breaking the "
        "nonsmooth barrier: a scalable parallel method for composite "
        "optimization, NeurIPS 2017, arXiv:1707.06468",
    ]

    language = "Python, numba"
    penalties = ("l2", "l1", "elasticnet")
    handles_intercept = False
    why_not = {"intercept": "its loss has none"}

    @property
    def stochastic(self):
        return self.method in ("saga", "svrg")

    def arrange(self, X):
        X = super().arrange(X)
        # what SAGA and SVRG would convert it to
        return sparse.csr_matrix(X) if self.stochastic else X

    def prepare(self):
        n_samples, n_features = self.X.shape
        self.positive = (self.y > 0).astype(float)
        self.alpha = self.lmbd2 / n_samples
        self.loss = LogLoss(self.X, self.positive, self.alpha)
        self.prox = None
        if self.stochastic:
            self.step = 1 / (3 * self.loss.max_lipschitz)
        if self.lmbd1:
            penalty = L1Norm(self.lmbd1 / n_samples)
            self.prox = (
                penalty.prox_factory(n_features) if self.stochastic
                else penalty.prox
            )

    def solve(self, callback):
        def after(state):
            self.coef = state["x"].copy()
            if not callback():
                # SAGA and SVRG ignore what a callback returns
                raise StopIteration

        # of the limit on the iterations, and of its line search at the end
        with ignore_warnings():
            try:
                self.minimize(np.zeros(self.X.shape[1]), after)
            except StopIteration:
                pass

    def minimize(self, x0, callback):
        limits = dict(max_iter=10**9, tol=0.0, callback=callback)
        if not self.stochastic:
            copt.minimize_proximal_gradient(
                self.loss.f_grad, x0, prox=self.prox, jac=True,
                accelerated=self.method == "accelerated", **limits,
            )
            return
        # their order of the samples
        np.random.seed(self.get_seed(use_repetition=True) % 2**32)
        method = {"saga": copt.minimize_saga, "svrg": copt.minimize_svrg}
        method[self.method](
            derivative(), self.X, self.positive, x0, self.step,
            prox=self.prox, alpha=self.alpha, **limits,
        )
