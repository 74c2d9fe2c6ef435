"""Data in memory that may be written to, which some libraries ask for."""
import numpy as np
from scipy import sparse


def writeable(X):
    """X, or a copy in the same layout where X is read-only.

    Cython takes read-only memory only where the library's author thought of
    it. Nothing is written: the tests compare X before and after.
    """
    if sparse.issparse(X):
        arrays = (X.data, X.indices, X.indptr)
        return X if all(a.flags.writeable for a in arrays) else X.copy()
    return X if X.flags.writeable else np.copy(X, order="K")
