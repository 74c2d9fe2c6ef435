from benchmark_utils.baselines.newton_kernels import loop_fused_newton
from benchmark_utils.baselines.notebook_newton import NotebookNewton


class Solver(NotebookNewton):
    """Newton with full steps, the Hessian in three loops, as in the notebook.

    The iteration of raw-newton, with gradient and Hessian accumulated in one
    pass of plain loops over samples and the lower triangle: n p^2 / 2
    multiply-adds an iteration and no temporary array, but no BLAS either.

    Timed: the whole of a compiled run of at most ``n_iter`` iterations.
    """

    name = "loop-fused-newton"
    requirements = ["pip::numba"]

    kernel = staticmethod(loop_fused_newton)
    fused = True
