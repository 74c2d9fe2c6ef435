import numpy as np
from benchopt import BaseDataset
from scipy import sparse

from benchmark_utils.data.generators import draw_labels


class Dataset(BaseDataset):
    """Gaussian entries at uniformly random places, a few in every row. CSR.

    Labels are Bernoulli from the logistic model with Gaussian coefficients.
    Nothing is correlated and no column is frequent: the opposite of text, and
    the easiest of sparse problems.

    Parameters
    ----------
    n_samples, n_features : int
    per_row : int
        Entries drawn for each row; those that hit the same column add up.
    """

    name = "sparse_gaussian"
    requirements = ["pip::numpy", "pip::scipy"]
    parameters = {
        "n_samples, n_features": [(50000, 20000)],
        "per_row": [10],
    }
    test_config = {"n_samples": 60, "n_features": 30, "per_row": 4}

    source = "generated"
    licence = "as this repository"
    stands_for = "hashed or recommender features: sparse, without structure"

    def get_data(self):
        for name in ("n_samples", "n_features", "per_row"):
            if not getattr(self, name) >= 1:
                raise ValueError(
                    f"{name}={getattr(self, name)} must be at least 1."
                )
        rng = np.random.default_rng(self.get_seed())
        n, p, k = self.n_samples, self.n_features, self.per_row
        X = sparse.csr_matrix(
            (rng.standard_normal(n * k),
             (np.repeat(np.arange(n), k), rng.integers(0, p, n * k))),
            shape=(n, p),
        )
        coef = rng.standard_normal(p)
        return dict(X=X, y=draw_labels(rng, X @ coef), coef_true=coef)
