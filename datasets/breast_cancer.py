from benchopt import BaseDataset
from sklearn.datasets import load_breast_cancer

from benchmark_utils.scaling import scale_columns


class Dataset(BaseDataset):
    """Breast cancer Wisconsin: 569 samples, 30 features, 63 % benign (+1).

    Raw, the condition number of X is 1.5e6; standardized, 3e2.
    The data come with scikit-learn.

    Parameters
    ----------
    scaling : {"raw", "standardized"}
    """

    name = "breast_cancer"
    requirements = ["pip::scikit-learn"]
    parameters = {"scaling": ["standardized"]}

    def get_data(self):
        X, y = load_breast_cancer(return_X_y=True)
        return dict(X=scale_columns(X, self.scaling), y=y)
