import numpy as np
from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library

with Library("pip install cuml-cu12, where there is an NVIDIA GPU") as needs:
    import cupy
    from cupyx.scipy.sparse import csr_matrix

    if not cupy.cuda.is_available():
        raise ImportError("cupy finds no GPU on this machine")
    from cuml.linear_model import LogisticRegression


class Solver(LogisticSolver):
    """RAPIDS cuML on an NVIDIA GPU: L-BFGS, and OWL-QN where there is L1.

    Its objective is C sum_i log-loss_i + r |w|_1 + (1 - r) / 2 |w|_2^2, as
    scikit-learn's: F / (lambda1 + lambda2) for C = 1 / (lambda1 + lambda2)
    and r = lambda1 / (lambda1 + lambda2).

    Timed: `fit` with at most ``n_iter`` iterations and a tolerance of 1e-14,
    in float64, on data that are on the GPU already; the coefficients come
    back to the host.
    """

    name = "cuml"
    requirements = ["pip::cuml-cu12"]
    needs = needs
    sampling_strategy = "iteration"
    references = [
        "S. Raschka, J. Patterson and C. Nolet, Machine learning in Python: "
        "main developments and technology trends, Information 11(4), 2020, "
        "arXiv:2002.04803",
        "G. Andrew and J. Gao, Scalable training of L1-regularized "
        "log-linear models, ICML 2007, doi:10.1145/1273496.1273501",
    ]

    language = "C++, CUDA"
    penalties = ("l2", "l1", "elasticnet")

    def prepare(self):
        self.labels = cupy.asarray(self.y)
        self.data = (
            csr_matrix(self.X) if sparse.issparse(self.X)
            else cupy.asarray(self.X)
        )
        strength = self.lmbd1 + self.lmbd2
        self.estimator = LogisticRegression(
            C=1 / strength, penalty="elasticnet",
            l1_ratio=self.lmbd1 / strength, tol=1e-14,
            fit_intercept=self.fit_intercept, output_type="numpy",
        )

    def solve(self, n_iter):
        self.estimator.max_iter = n_iter
        self.estimator.fit(self.data, self.labels)
        self.coef = np.ravel(self.estimator.coef_)
        self.intercept = float(np.ravel(self.estimator.intercept_)[0])
