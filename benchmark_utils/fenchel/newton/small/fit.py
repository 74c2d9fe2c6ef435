"""Newton's method for small problems, from Python, whatever the layout."""
import numpy as np

from . import descent, layout, two_columns
from .entry import summary
from .samples import HELD, flat


def fit_small(X, y, l2, tol, max_iter, x):
    """Minimise F from x, which becomes the solution.

    Parameters
    ----------
    X : array of shape (n, p), float64 or float32
    y : array of shape (n,), float64, contiguous, -1 and +1
    l2, tol : float
    max_iter : int
    x : array of shape (p,), or (p + 1,) to fit an intercept, float64

    Returns
    -------
    tuple
        What `entry.summary` gives.
    """
    n, p = X.shape
    if x.size <= 2 and n <= HELD // 2:
        kernel, size = two_columns, two_columns.workspace_size(n)
    else:
        kernel, size = descent, layout.workspace_size(n, x.size)
    data, row_stride, column_stride = flat(X)
    return summary(*kernel.fit_tiny(
        data, y, (0, row_stride, column_stride, n, p, 0), float(l2),
        float(tol), int(max_iter), np.empty(size), x,
    ))
