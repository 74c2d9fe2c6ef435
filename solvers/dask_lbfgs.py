import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from benchmark_utils.problem.loss import gradient, log_loss, predict_margins
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.intercept import ridge_diagonal, split_intercept
from benchmark_utils.wiring.libraries import Library

with Library('pip install "dask[array]"') as needs:
    import dask
    import dask.array as da


def loss_and_grad(X, y, x, fit_intercept):
    """The loss of one chunk and its gradient in x = (w, b)."""
    coef, intercept = split_intercept(x, fit_intercept)
    margins = predict_margins(X, y, coef, intercept)
    grad, grad_intercept = gradient(X, y, margins)
    if fit_intercept:
        grad = np.append(grad, grad_intercept)
    return log_loss(margins), grad


class Solver(LogisticSolver):
    """L-BFGS on a dask array: ours, for data that outgrow the memory.

    X is cut into chunks of rows of `chunk_mb` megabytes. For each F and
    gradient every chunk is read (from disk, where X is a memory map), gives
    its sum of losses and its gradient, and is dropped; SciPy's L-BFGS-B does
    the rest. dask's scheduler is the one of a single thread.

    Timed: a whole call of `minimize` with at most ``n_iter`` iterations.
    """

    name = "dask-lbfgs"
    requirements = ["pip::dask"]
    needs = needs
    parameters = {"chunk_mb": [64]}
    sampling_strategy = "iteration"
    references = [
        "M. Rocklin, Dask: parallel computation with blocked algorithms and "
        "task scheduling, SciPy 2015, doi:10.25080/Majora-7b98e3ed-013",
        "C. Zhu, R. H. Byrd, P. Lu and J. Nocedal, Algorithm 778: L-BFGS-B, "
        "ACM TOMS 23(4), 1997, doi:10.1145/279232.279236",
    ]

    penalties = ("l2",)
    why_not = {
        "l1": "L-BFGS needs a smooth objective",
        "elasticnet": "L-BFGS needs a smooth objective",
    }

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        if self.chunk_mb <= 0:
            return True, f"chunk_mb={self.chunk_mb} must be above zero."
        return False, None

    def arrange(self, X):
        # dense data stay where they are, as they are: float32 is converted
        # by blocks
        return super().arrange(X) if sparse.issparse(X) else X

    def prepare(self):
        X, n_samples = self.X, self.X.shape[0]
        n_bytes = X.data.nbytes if sparse.issparse(X) else X.nbytes
        rows = int(self.chunk_mb * 2**20 / max(n_bytes / n_samples, 1))
        rows = min(max(rows, 1), n_samples)
        # without name=False dask would hash, and so read, all of X
        chunked = da.from_array(
            X, chunks=(rows, X.shape[1]), name=False, asarray=False
        )
        if sparse.issparse(X):
            # cut once: a slice of a sparse matrix is a copy
            chunked = chunked.persist(scheduler="synchronous")
        self.chunks = [
            (chunk, self.y[first:first + rows])
            for chunk, first in zip(
                chunked.to_delayed().ravel(), range(0, n_samples, rows),
                strict=True,
            )
        ]

    def solve(self, n_iter):
        ridge = ridge_diagonal(
            self.X.shape[1] + self.fit_intercept, self.lmbd2,
            self.fit_intercept,
        )

        def value_and_grad(x):
            parts = dask.compute(
                *(
                    dask.delayed(loss_and_grad, pure=False)(
                        chunk, y, x, self.fit_intercept
                    )
                    for chunk, y in self.chunks
                ),
                scheduler="synchronous",
            )
            shrink = ridge * x
            return (
                sum(loss for loss, _ in parts) + 0.5 * (x @ shrink),
                sum(grad for _, grad in parts) + shrink,
            )

        x = minimize(
            value_and_grad, np.zeros(len(ridge)), jac=True,
            method="L-BFGS-B",
            options={
                "ftol": 0.0, "gtol": 1e-14, "maxfun": 10**9,
                "maxiter": n_iter,
            },
        ).x
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)
