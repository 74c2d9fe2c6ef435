import numpy as np
from benchopt import BaseDataset

from benchmark_utils.data.generators import SHAPES, adversarial_problem


class Dataset(BaseDataset):
    """Eleven small problems that break what is not careful.

    Duplicate, constant and zero columns; column scales from 1e-6 to 1e6;
    nearly separable and separable (for a tiny l2: -o "*[l2=1e-6]"); 1 %
    positives; p = 50 n, n = 1000 p, p = 1, n = 2. Gaussian features; see
    `benchmark_utils/data/generators.py`.

    Parameters
    ----------
    case : str
    grow : int
        Multiplies n, and p with it; for wide, tall, one_feature and
        one_per_class the one of them that is not small.
    """

    name = "adversarial"
    requirements = ["pip::numpy", "pip::scipy"]
    parameters = {"case": list(SHAPES), "grow": [1]}

    source = "generated"
    licence = "as this repository"
    stands_for = "what makes solvers fail"

    def get_data(self):
        rng = np.random.default_rng(self.get_seed())
        X, y = adversarial_problem(rng, self.case, self.grow)
        return dict(X=X, y=y)
