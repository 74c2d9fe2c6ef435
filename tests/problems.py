"""Data that several test files are about."""
import numpy as np
from scipy import sparse

# name: n, p, share of nonzeros, share of positives
PACKAGED = {
    "breast_cancer": (569, 30, 1.0, 0.63),
    "diamonds": (53940, 26, 0.35, 0.50),
    "digits": (1797, 64, 0.51, 0.50),
    "grants": (8190, 1497, 0.014, 0.46),
    "hiva": (3845, 1617, 0.09, 0.035),
    "leukemia": (38, 5000, 1.0, 0.29),
    "movielens": (100004, 9861, 5.7e-4, 0.52),
    "pd_speech": (252, 751, 1.0, 0.75),
    "sylva": (13086, 216, 0.22, 0.06),
    "trump_tweets": (19332, 43091, 5.9e-4, 0.24),
}
LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_matrix,
}


def make(n_samples, n_features, seed=0):
    """Make data with zeros and two labels that are words."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    X *= rng.random(X.shape) < 0.7
    scores = X @ rng.standard_normal(n_features) - 0.5
    y = rng.random(n_samples) < 1 / (1 + np.exp(-scores))
    return X, np.where(y, "yes", "no")


TALL = make(60, 8)
WIDE = make(25, 40)
