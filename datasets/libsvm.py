from benchopt import BaseDataset

from benchmark_utils.data.libsvm_files import load_libsvm
from benchmark_utils.data.splitting import split_and_scale
from benchmark_utils.wiring.benchopt_private import parameters_of


class Dataset(BaseDataset):
    """A binary problem of the LIBSVM page, downloaded once.

    https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary.html, by
    the package libsvmdata; kept in the folder libsvm of $LIBSVMDATA_HOME
    (~/data without it), where a file that was cut short is noticed and
    fetched again. CSC, or a Fortran array from 50 % nonzeros on.

    Parameters
    ----------
    name : str
        rcv1, news20, real-sim, a9a, w8a, ijcnn1, covtype, madelon, gisette,
        webspam, url, kdda, avazu, HIGGS, epsilon, ...; its test set, where
        it has one, is <name>_test.
    scaling : {"raw", "standardized", "maxabs"}
        Sparse data are never centred.
    test_share : float in [0, 1)
        Share of each class that is held out; none, so that n is the page's.
    """

    name = "libsvm"
    requirements = ["pip::libsvmdata"]
    parameters = {"name": ["a9a"], "scaling": ["raw"], "test_share": [0.0]}
    test_config = {"name": "colon-cancer"}

    source = "LIBSVM page"
    licence = "of each problem"
    stands_for = "the problems of the literature, up to 1e7 x 1e7"

    def get_data(self):
        # benchopt makes no attribute of a parameter that is called `name`
        X, y = load_libsvm(parameters_of(self)["name"])
        return split_and_scale(X, y, self.scaling, self.test_share)
