"""Check data and parameters, and say what is wrong with them."""
import numpy as np
from scipy import sparse


def check_parameters(**parameters):
    """Check the numbers that define a fit."""
    l2 = parameters["l2"]
    if not 0.0 < l2 < np.inf:
        raise ValueError(f"l2={l2} must be positive and finite.")


def check_design(X, name="X"):
    """Return X as a float array (C or F order), CSR or CSC."""
    if not sparse.issparse(X):
        X = np.asarray(X)
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(
            f"{name} has shape {X.shape}: give (n_samples, n_features), both "
            "at least 1."
        )
    if not np.isfinite(X.data if sparse.issparse(X) else X).all():
        raise ValueError(
            f"{name} contains NaN or infinity: impute or drop those entries."
        )
    if not (sparse.issparse(X) or X.flags.forc):
        X = np.ascontiguousarray(X)
    return X


def check_labels(y, n_samples, name="y"):
    """Return y as -1.0 and +1.0, and the two classes."""
    y = np.asarray(y)
    if y.shape != (n_samples,):
        raise ValueError(
            f"{name} has shape {y.shape}, X has {n_samples} samples: give "
            "one label a sample."
        )
    classes = np.unique(y)
    if len(classes) != 2 or classes[1] != classes[1]:
        raise ValueError(
            f"{name} has {len(classes)} classes ({classes[:4].tolist()}): "
            "logistic regression needs samples of exactly two."
        )
    return np.where(y == classes[1], 1.0, -1.0), classes
