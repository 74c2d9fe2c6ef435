"""Which method a problem gets, by measured costs.

Every constant here decides between two methods that are both right; what a
method decides about itself stands in its own file.
"""
import numba

from .newton.small.samples import HELD
from .newton.sparse.fit import DENSE_ENTRIES

# Columns and work up to which `fit_logistic` asks nothing else before it calls
# the kernel of few columns, without checks: 10 x 2 in 2.2 instead of 5 us
DIRECT_COLUMNS, DIRECT_SIZE = 40, 250_000
# So few samples and an intercept are a problem of few columns in a factor of
# their kernel matrix
FEW_SAMPLES = 40
# Where X is larger than `TINY_SIZE`: Newton with passes over X as it is. 1.1
# times as fast as L-BFGS at 1000000 x 20, 1.6 at 500000 x 8, 2.3 at 10^6 x 5
STREAMED_COLUMNS = 32
# Entries up to which the kernel of few columns is the fastest, and where
# several threads, which it has no use for, begin to pay
TINY_SIZE, THREADS_SIZE = 2**21, 2**19
# Bytes of a float32 X up to which it is converted to float64 as a whole, so
# that nothing is compiled for it
CONVERTED_BYTES = 2**27


def is_direct(n, p, q, float32_copy=True):
    """Tell whether the kernel of few columns takes X without checks before.

    Within `is_tiny`, and without `is_few_samples`. Of larger problems checks
    take 10 to 40 %: 60 x 50 in 50 instead of 32 us, 50000 x 8 in 1.45 instead
    of 1.1 ms.
    """
    if q <= DIRECT_COLUMNS and 3 * n > 2 * p and n * (q + 10) <= (
        DIRECT_SIZE if float32_copy else HELD
    ):
        return True
    return (
        float32_copy and 2 < q <= 100 and is_tiny(n, q, True)
        and not is_few_samples(n, p, q)
    )


def is_few_samples(n, p, q):
    """Tell whether a factor of X X' is the fastest; asked before `is_tiny`.

    Measured ratios of the few-columns kernel's time to its own: 5 x 10 1.0,
    5 x 40 3.3, 10 x 20 1.3, 20 x 40 1.7, 30 x 40 1.0, 35 x 60 1.4.
    """
    few = n < p if q > 40 else 3 * n <= 2 * p
    return few and n + q - p <= FEW_SAMPLES


def is_tiny(n, q, float32_copy):
    """Tell whether Newton's method in one buffer is the fastest.

    Measured ratios of the fastest other time to its own, the least and the
    largest of independent and correlated columns and l2 of 1 and 0.01, with
    AVX-512 / with AVX2: 10000 x 2 1.6, 100000 x 5 1.4 / 1.4, 50000 x 8 1.6 /
    1.6, 100000 x 20 1.3 / 1.2, 60 x 50 1.6 / 1.4, 10000 x 50 1.7 / 1.4,
    100 x 64 1.3 to 1.5 / 1.1 to 1.3, 1000 x 64 1.1 to 1.8 / 1.0 to 1.5,
    1600 x 80 1.2 to 1.3 / 1.1, 2500 x 100 1.2 to 1.4 / 1.1 to 1.3,
    20000 x 100 1.0 to 1.2 / 1.0, and beyond: 500 x 80 0.8, 1000 x 100 0.8,
    2000 x 100 0.8 to 1.3, 10000 x 128 1.1, 1000000 x 20 0.7 to 1.1.
    """
    if not float32_copy:
        return q <= 40 and n * (q + 10) <= HELD
    if q > 100 or q > 64 and 4 * n < q * q or q > 40 and n < q:
        return False
    return n * q <= TINY_SIZE and (
        n * q <= THREADS_SIZE or numba.get_num_threads() == 1
    )


def dense_methods(n, p, q, at_zero, float32_copy):
    """Name the methods for a dense problem, in the order of trying."""
    methods = []
    if at_zero and is_few_samples(n, p, q):
        methods.append("few samples")
    if is_tiny(n, q, float32_copy):
        methods.append("few columns")
    elif q <= STREAMED_COLUMNS:
        methods.append("streamed")
    if "few columns" not in methods:
        methods.append("many columns")
    return [*methods, "safeguarded"]


#: what takes no sparse X
DENSE = ("few columns", "few samples", "streamed", "many columns")


def methods(problem, is_sparse, at_zero):
    """Name the methods for a problem, in the order of trying."""
    if problem.penalty is not None:
        return ["working set", "plain"]
    n, p = problem.X.shape
    if is_sparse:
        return sparse_methods(n, p)
    q = p + problem.intercept
    return dense_methods(n, p, q, at_zero, problem.float32_copy)


def sparse_methods(n, p):
    """Name the methods for a sparse problem, in the order of trying."""
    methods = ["sparse"]
    if n * p <= DENSE_ENTRIES:
        # 300 x 100 to 1500 x 500, 5 % of the entries, rows of scales 1e-3 to
        # 1e3, l2 of 1e-5 to 0.1: 7 of 12 stalled, of which 6 ended well dense
        methods += ["many columns", "safeguarded"]
    return methods
