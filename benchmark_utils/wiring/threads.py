"""The number of threads is the benchmark's, not the reader's environment's."""
import numba
from threadpoolctl import threadpool_limits

N_THREADS = 1


def fix_threads(n_threads=N_THREADS):
    """Give BLAS, OpenMP and numba `n_threads` threads, from now on.

    Called before every problem, when the solvers' libraries are loaded:
    threadpoolctl sees only what is.
    """
    threadpool_limits(limits=n_threads)
    numba.set_num_threads(n_threads)
