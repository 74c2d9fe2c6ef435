import numpy as np
from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.intercept import (
    append_ones,
    ridge_diagonal,
    split_intercept,
)
from benchmark_utils.wiring.libraries import Library

with Library("pip install optimistix") as needs:
    import jax
    from jax.experimental.sparse import BCSR

    from benchmark_utils.baselines.optimistix_methods import minimize


class Solver(LogisticSolver):
    """Optimistix: Newton, BFGS and L-BFGS in JAX, compiled by XLA.

    It minimizes F / n. ``newton`` finds the root of its gradient, which JAX
    differentiates, with full steps and a Cholesky factorization; ``bfgs``
    keeps a dense inverse Hessian, ``lbfgs`` ten pairs. On a GPU where JAX
    finds one.

    Timed: a compiled run at ``rtol = atol = tol``, in float64, on data that
    are on the device already; the coefficients come back to the host.
    """

    name = "optimistix"
    requirements = ["pip::optimistix", "pip::jax"]
    needs = needs
    parameters = {"method": ["newton", "bfgs", "lbfgs"]}
    choices = {"method": ("newton", "bfgs", "lbfgs")}
    sampling_strategy = "tolerance"
    references = [
        "J. Rader, T. Lyons and P. Kidger, Optimistix: modular optimisation "
        "in JAX and Equinox, arXiv:2402.09983",
    ]

    language = "Python, JAX"
    penalties = ("l2",)
    why_not = {
        "l1": "its methods need a smooth objective",
        "elasticnet": "its methods need a smooth objective",
        "sparse": "the method keeps a dense p x p matrix",
    }

    @property
    def handles_sparse(self):
        return self.method == "lbfgs"

    def prepare(self):
        A = append_ones(self.X, self.fit_intercept)
        ridge = ridge_diagonal(A.shape[1], self.lmbd2, self.fit_intercept)
        A = BCSR.from_scipy_sparse(A) if sparse.issparse(A) else A
        self.problem = jax.device_put((A, self.y, ridge))

    def solve(self, tol):
        x = np.asarray(minimize(self.problem, tol, self.method))
        self.coef, self.intercept = split_intercept(x, self.fit_intercept)
