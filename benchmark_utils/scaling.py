"""Column scalings that datasets offer as a parameter."""
import numpy as np

SCALINGS = ("raw", "standardized")


def scale_columns(X, scaling):
    """X as it is, or with columns of mean 0 and variance 1.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
    scaling : {"raw", "standardized"}

    Raises
    ------
    ValueError
        For another `scaling`.
    """
    if scaling == "raw":
        return X
    if scaling == "standardized":
        spread = X.std(axis=0)
        # a constant column becomes zero, not NaN
        return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    raise ValueError(
        f"scaling={scaling!r} is unknown: choose among {', '.join(SCALINGS)}."
    )
