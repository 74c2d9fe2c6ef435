from benchmark_utils.baselines.newton_kernels import raw_newton
from benchmark_utils.baselines.notebook_newton import NotebookNewton


class Solver(NotebookNewton):
    """Newton with full steps in numba, as in the notebook ("raw Newton").

    x <- x - H^{-1} g with H = X' diag(s) X + lambda2 I from one matrix
    product and a dense linear solve (LAPACK): n p^2 + p^3 / 3 operations an
    iteration. Stops when the step is shorter than 1e-6 or after 100
    iterations, as there. No line search: it may diverge.

    Timed: the whole of a compiled run of at most ``n_iter`` iterations.
    """

    name = "raw-newton"
    requirements = ["pip::numba"]

    kernel = staticmethod(raw_newton)
    fused = False
