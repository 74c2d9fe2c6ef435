from benchopt import BaseDataset
from sklearn.datasets import load_digits

from benchmark_utils.data.splitting import split_and_scale


class Dataset(BaseDataset):
    """Handwritten digits, odd (+1) against even: 1797 images of 8 x 8 pixels.

    A few pixels are zero in every image. The data come with
    scikit-learn.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "digits"
    requirements = ["pip::scikit-learn"]
    parameters = {"scaling": ["standardized"], "test_share": [0.2]}

    source = "scikit-learn; UCI"
    licence = "CC BY 4.0"
    stands_for = "small images, some pixels always zero"

    def get_data(self):
        X, digit = load_digits(return_X_y=True)
        return split_and_scale(X, digit % 2, self.scaling, self.test_share)
