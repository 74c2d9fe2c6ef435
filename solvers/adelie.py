import numpy as np
from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.threads import N_THREADS

with Library("make solvers-legacy (it needs NumPy 1)") as needs:
    import adelie


class Solver(LogisticSolver):
    """adelie: block coordinate descent for group elastic nets, in C++.

    Its objective is a mean, (1/n) sum_i log-loss_i + lambda (alpha |w|_1
    + (1 - alpha) / 2 |w|_2^2) for groups of one column, so lambda = (lambda1
    + lambda2) / n and alpha = lambda1 / (lambda1 + lambda2). Proximal Newton
    outside, coordinate descent on an active set inside.

    Timed: `adelie.grpnet` for this one lambda at `tol`, its checks included.
    """

    name = "adelie"
    requirements = ["pip::adelie"]
    needs = needs
    sampling_strategy = "tolerance"
    references = [
        "J. Yang and T. Hastie, A fast and scalable pathwise-solver for "
        "group lasso and elastic net penalized regression via block-"
        "coordinate descent, 2024, arXiv:2405.08631",
    ]

    language = "C++"
    penalties = ("l2", "l1", "elasticnet")
    dense_layout = "F"
    sparse_layout = "csc"

    def arrange(self, X):
        X = super().arrange(X)
        # it knows SciPy's matrices only, not its arrays
        return sparse.csc_matrix(X) if sparse.issparse(X) else X

    def prepare(self):
        if sparse.issparse(self.X):
            self.design = adelie.matrix.sparse(self.X, n_threads=N_THREADS)
        else:
            self.design = adelie.matrix.dense(self.X, n_threads=N_THREADS)
        self.loss = adelie.glm.binomial((self.y > 0).astype(float))

    def solve(self, tol):
        strength = self.lmbd1 + self.lmbd2
        state = adelie.grpnet(
            self.design, self.loss, alpha=self.lmbd1 / strength,
            lmda_path=np.array([strength / len(self.y)]),
            intercept=self.fit_intercept, tol=tol**2, irls_tol=tol,
            # of a path only, which these would end early
            early_exit=False, adev_tol=1, n_threads=N_THREADS,
            progress_bar=False,
        )
        self.coef = state.betas[-1].toarray().ravel()
        self.intercept = float(state.intercepts[-1])
