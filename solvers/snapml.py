import numpy as np
from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library

with Library("pip install snapml") as needs:
    from snapml import LogisticRegression


class Solver(LogisticSolver):
    """IBM's Snap ML: coordinate descent on the primal or on the dual.

    Its objective is sum_i log-loss_i + regularizer / 2 |w|_2^2, or
    regularizer |w|_1 (primal only): F with `regularizer` = lambda, unscaled.
    It computes with X rounded to float32 and returns float32 coefficients.

    Timed: `fit` at `tol`, one thread, on data in the layout and precision
    that it uses inside (Fortran order or CSC for the primal, C order or CSR
    for the dual), so that it does not convert them again.
    """

    name = "snapml"
    requirements = ["pip::snapml"]
    needs = needs
    parameters = {"formulation": ["primal", "dual"]}
    choices = {"formulation": ("primal", "dual")}
    sampling_strategy = "tolerance"
    references = [
        "C. Duenner et al., Snap ML: a hierarchical framework for machine "
        "learning, NeurIPS 2018, arXiv:1803.06333",
    ]

    language = "C++"

    why_not = {
        "l1": "its dual is for l2 only, the primal takes it",
        "elasticnet": "it has l1 and l2 penalties, not both at once",
        "intercept": "it is penalized",
    }
    handles_intercept = False

    @property
    def penalties(self):
        return ("l2", "l1") if self.formulation == "primal" else ("l2",)

    def arrange(self, X):
        primal = self.formulation == "primal"
        if not sparse.issparse(X):
            return np.asarray(X, np.float32, order="F" if primal else "C")
        kind = sparse.csc_matrix if primal else sparse.csr_matrix
        # a copy: the indices to sort would be those of everybody's X
        X = kind(X, dtype=np.float32, copy=True)
        X.sort_indices()
        return X

    def prepare(self):
        self.estimator = LogisticRegression(
            regularizer=self.lmbd1 + self.lmbd2,
            penalty="l1" if self.lmbd1 else "l2",
            dual=self.formulation == "dual",
            fit_intercept=self.fit_intercept,
            max_iter=10**6,
            random_state=self.get_seed(use_repetition=True) % 2**31,
        )

    def solve(self, tol):
        self.estimator.tol = tol
        self.estimator.fit(self.X, self.y)
        self.coef = self.estimator.coef_.ravel()
        self.intercept = float(np.ravel(self.estimator.intercept_)[0])
