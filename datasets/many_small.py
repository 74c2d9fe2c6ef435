import numpy as np
from benchopt import BaseDataset

from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.problem.loss import dual_weights


class Dataset(BaseDataset):
    """Many small independent problems, as leaf models of boosted trees are.

    Problem k is the notebook's Gaussian problem with labels from the
    logistic model; where all labels of a problem are equal, one is flipped.
    `sizes` is "10x2", "200x10" or "mixed" (n from 8 to 400, p from 1 to 12).

    The problems are solved in one timed run, so that solvers of microseconds
    are measured by the thousand.
    """

    name = "many_small"
    requirements = ["pip::numpy"]
    parameters = {
        "sizes": ["10x2", "200x10", "mixed"],
        "n_problems": [2000],
    }
    test_config = {"sizes": "mixed", "n_problems": 5}

    source = "generated"
    licence = "as this repository"
    stands_for = "thousands of problems of microseconds: 10 x 2, 200 x 10"

    def get_data(self):
        if self.n_problems < 1:
            raise ValueError(f"n_problems={self.n_problems} must be positive.")
        rng = np.random.default_rng(self.get_seed())
        designs, labels = [], []
        for _ in range(self.n_problems):
            n, p = self.draw_size(rng)
            X = rng.standard_normal((n, p))
            scores = X @ rng.standard_normal(p)
            y = np.where(rng.random(n) < dual_weights(-scores), 1.0, -1.0)
            if abs(y.sum()) == n:
                y[0] = -y[0]
            designs.append(X)
            labels.append(y)
        return dict(X=ManyProblems(designs), y=np.concatenate(labels))

    def draw_size(self, rng):
        fixed = {"10x2": (10, 2), "200x10": (200, 10)}
        if self.sizes in fixed:
            return fixed[self.sizes]
        if self.sizes == "mixed":
            n = int(8 * 50 ** rng.random())
            return n, int(rng.integers(1, min(12, n // 4) + 1))
        raise ValueError(
            f"sizes={self.sizes!r} is unknown: choose 10x2, 200x10 or mixed."
        )
