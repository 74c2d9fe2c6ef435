import numpy as np
from benchopt import BaseDataset

from benchmark_utils.problem.loss import dual_weights


class Dataset(BaseDataset):
    """The notebook's data: Gaussian X, w, and labels from the model.

    From the legacy Mersenne Twister with seed 0: X row by row, then the true
    w, then one uniform u_i a sample; y_i = 1 where
    u_i < sigmoid(x_i' w), else 0. The notebook's own three sizes are
    10 x 2, 200 x 10 and 2000 x 100.
    """

    name = "simulated"
    requirements = ["pip::numpy"]
    parameters = {
        "n_samples, n_features": [(10, 2), (200, 10), (2000, 100)],
    }
    test_config = {"n_samples": 200, "n_features": 10}

    source = "generated"
    licence = "as this repository"
    stands_for = "the notebook that started this benchmark"

    def get_data(self):
        # The notebook's seed, whatever the seed of the run: its published
        # numbers are the test of this benchmark.
        rng = np.random.RandomState(0)
        X = rng.standard_normal((self.n_samples, self.n_features))
        coef_true = rng.standard_normal(self.n_features)
        uniform = rng.random_sample(self.n_samples)
        y = (uniform < dual_weights(-(X @ coef_true))).astype(float)
        return dict(X=X, y=y, coef_true=coef_true)
