from benchopt import BaseDataset
from sklearn.datasets import load_digits

from benchmark_utils.scaling import scale_columns


class Dataset(BaseDataset):
    """Handwritten digits, odd against even: 1797 images of 8 x 8 pixels.

    A few pixels are zero in every image. The data come with
    scikit-learn.

    Parameters
    ----------
    scaling : {"raw", "standardized"}
    """

    name = "digits"
    requirements = ["pip::scikit-learn"]
    parameters = {"scaling": ["standardized"]}

    def get_data(self):
        X, digit = load_digits(return_X_y=True)
        y = digit % 2
        return dict(X=scale_columns(X, self.scaling), y=y)
