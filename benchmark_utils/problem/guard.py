"""Find and undo what a solver did to the data that all solvers share."""
import zlib

from scipy import sparse

from benchmark_utils.fenchel.validation import DataError
from benchmark_utils.problem.batches import ManyProblems


class DataGuard:
    """Compare a design with what it was, and put that back.

    Not by a second copy, which would double the memory, but by checksums:
    60 ms for 20000 x 500. Read-only arrays would be no guard: libraries'
    Cython refuses them, and numba compiles its kernels for them once more.

    Parameters
    ----------
    X : array, CSR or CSC matrix, or ManyProblems
    """

    def __init__(self, X):
        self.X = X
        self.before = checksums(X)

    def check(self, load):
        """Return None, or what is wrong; then the data are restored.

        Parameters
        ----------
        load : callable
            Returns X anew.

        Raises
        ------
        DataError
            Where the data cannot be restored: they may not be used again.
        """
        if checksums(self.X) == self.before:
            return None
        fresh = load()
        if checksums(fresh) != self.before:
            raise DataError(
                "a solver has changed X in place, and loading the dataset "
                "again gives other data: no more solvers are run on it."
            )
        for X, right in zip(designs(self.X), designs(fresh), strict=True):
            restore(X, right)
        return (
            "it has changed X in place, which it shares with all solvers: "
            "copy X in `set_objective`. The data were restored."
        )


def designs(X):
    """Return the designs of a batch, or the only one, in a list."""
    return X.designs if isinstance(X, ManyProblems) else [X]


def checksums(X):
    """Return checksums of all arrays of a design."""
    parts = []
    for one in designs(X):
        if sparse.issparse(one):
            arrays = one.data, one.indices, one.indptr
        else:
            arrays = (one if one.flags.c_contiguous else one.T,)
        parts.extend((part.shape, zlib.crc32(part)) for part in arrays)
    return parts


def restore(X, right):
    """Write the entries of another design into X, which is the same again."""
    if not sparse.issparse(X):
        X.flags.writeable = True
        X[...] = right
        return
    # the structure may have been changed too, to arrays of another length
    X.data, X.indices, X.indptr = right.data, right.indices, right.indptr
