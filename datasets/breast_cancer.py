from benchopt import BaseDataset
from sklearn.datasets import load_breast_cancer

from benchmark_utils.data.splitting import split_and_scale


class Dataset(BaseDataset):
    """Breast cancer Wisconsin: 569 samples, 30 features, 63 % benign (+1).

    Raw, the condition number of X is 1.5e6; standardized, 3e2.
    The data come with scikit-learn.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "breast_cancer"
    requirements = ["pip::scikit-learn"]
    parameters = {"scaling": ["standardized"], "test_share": [0.2]}

    source = "scikit-learn; UCI"
    licence = "CC BY 4.0"
    stands_for = "a small table, strongly correlated features"

    def get_data(self):
        X, y = load_breast_cancer(return_X_y=True)
        return split_and_scale(X, y, self.scaling, self.test_share)
