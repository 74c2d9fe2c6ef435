"""Fetch the binary problems of the LIBSVM page, checked, and keep them.

Download, parsing and cache are those of the package libsvmdata; added here
are other names, the test that a file is whole, and messages that say what to
do.
"""
import bz2
import difflib
import shutil

import libsvmdata.libsvm
import numpy as np
from libsvmdata.libsvm import DATASETS, LibsvmDataset
from scipy import sparse

from benchmark_utils.data.downloads import DownloadError, no_network

# The names by which the problems are known -> those of libsvmdata
ALIASES = {
    "avazu": "avazu-app",
    "covtype": "covtype.binary",
    "kdda": "kdda_train",
    "news20": "news20.binary",
    "rcv1": "rcv1.binary",
    "rcv1_test": "rcv1.binary_test",
}

# libsvmdata 0.5 lacks the first ones, and reads w1a for w3a to w6a.
# name: file, number of features
OWN = {
    "avazu-app": ("avazu-app.bz2", 1000000),
    "avazu-site": ("avazu-site.bz2", 1000000),
    "mushrooms": ("mushrooms", 112),
    "kddb": ("kddb.bz2", 29890095),
    "webspam_unigram": ("webspam_wc_normalized_unigram.svm.bz2", 254),
    **{f"w{i}a": (f"w{i}a", 300) for i in range(3, 7)},
    **{f"w{i}a_test": (f"w{i}a.t", 300) for i in range(3, 7)},
}

# Numbers of samples on
# https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary.html
N_SAMPLES = {
    "HIGGS": 11000000,
    "SUSY": 5000000,
    "a1a": 1605,
    "a2a": 2265,
    "a3a": 3185,
    "a4a": 4781,
    "a5a": 6414,
    "a6a": 11220,
    "a7a": 16100,
    "a8a": 22696,
    "a9a": 32561,
    "a9a_test": 16281,
    "avazu-app": 14596137,
    "avazu-site": 25832830,
    "cod-rna": 59535,
    "colon-cancer": 62,
    "covtype.binary": 581012,
    "epsilon": 400000,
    "epsilon_test": 100000,
    "gisette": 6000,
    "heart": 270,
    "heart_scale": 270,
    "ijcnn1": 49990,
    "ijcnn1_test": 91701,
    "kdda_train": 8407752,
    "kddb": 19264097,
    "leukemia": 38,
    "leukemia_test": 34,
    "madelon": 2000,
    "madelon_test": 600,
    "mushrooms": 8124,
    "news20.binary": 19996,
    "phishing": 11055,
    "rcv1.binary": 20242,
    "rcv1.binary_test": 677399,
    "real-sim": 72309,
    "skin_nonskin": 245057,
    "url": 2396130,
    "w1a": 2477,
    "w2a": 3470,
    "w3a": 4912,
    "w4a": 7366,
    "w5a": 9888,
    "w6a": 17188,
    "w7a": 24692,
    "w8a": 49749,
    "w8a_test": 14951,
    "webspam": 350000,
    "webspam_unigram": 350000,
}


class IncompleteError(DownloadError):
    """A file that ends before its end."""


class WholeFile(LibsvmDataset):
    """A problem whose downloaded file must be whole before it is parsed."""

    def _load_file_and_save_data(self, raw_dataset_path, ext_dataset_path):
        path = raw_dataset_path
        if path.suffix == ".bz2":
            # libsvmdata itself would parse what there is of a file that was
            # cut short, and fail on one of several bz2 streams.
            print(f"{self.dataset_name}: unpacking {path.name}", flush=True)
            unpacked = path.with_suffix("")
            try:
                with bz2.open(path) as packed, open(unpacked, "wb") as plain:
                    shutil.copyfileobj(packed, plain, 2**20)
            except (EOFError, OSError) as error:
                unpacked.unlink()
                raise IncompleteError(
                    f"{path.name} is damaged: {error}"
                ) from error
            finally:
                path.unlink()
            path = unpacked
        try:
            X, y = super()._load_file_and_save_data(path, ext_dataset_path)
        except ValueError as error:
            path.unlink(missing_ok=True)
            raise IncompleteError(
                f"{path.name} is damaged: {error}"
            ) from error
        print(f"{self.dataset_name}: {X.shape[0]} x {X.shape[1]}, kept.")
        return X, y


def find(name):
    """The problem of that name, and libsvmdata's name for it.

    Raises
    ------
    ValueError
        Where there is none, with the names that come near, or where it is
        no problem of two classes.
    """
    known = {one.dataset_name: one for one in DATASETS}
    key = ALIASES.get(name, name)
    if key in OWN:
        file, n_features = OWN[key]
        return WholeFile(key, file, "binary", n_features)
    if key not in known:
        names = sorted(
            {n for n, one in known.items() if one.task_name == "binary"}
            | set(OWN) | set(ALIASES)
        )
        near = difflib.get_close_matches(str(name), names, n=3)
        hint = (
            f"did you mean {' or '.join(near)}?" if near
            else f"choose among {', '.join(names)}."
        )
        raise ValueError(f"LIBSVM has no dataset {name!r}: {hint}")
    one = known[key]
    if one.task_name != "binary":
        raise ValueError(
            f"{name} is a {one.task_name} problem: choose one of two classes."
        )
    return WholeFile(key, one.dataset_file, "binary", one.n_features)


def load_libsvm(name):
    """Load a binary problem of the LIBSVM page, downloaded if need be.

    A cached or downloaded file that was cut short is fetched once more. The
    cache is libsvmdata's, in the folder libsvm of $LIBSVMDATA_HOME.

    Parameters
    ----------
    name : str
        As on https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets, or as
        in libsvmdata, which adds ".binary" to some and "_test".

    Returns
    -------
    X : CSC matrix, or array in Fortran order from 50 % nonzeros on
        (n_samples, n_features), float64
    y : array of shape (n_samples,)
        The labels of the file.

    Raises
    ------
    ValueError
        For a name that does not exist, or one of several classes.
    DownloadError
        Without a network, or where the file stays incomplete.
    """
    problem = find(name)
    cached = problem.dataset_dir.glob(f"{problem.dataset_name}_[Xy].np?")
    if len(list(cached)) == 2:
        try:
            return _check(*problem.get_X_y(), problem)
        except Exception as error:
            print(
                f"{name}: its copy in {problem.dataset_dir} is damaged "
                f"({error}), it is fetched again.",
                flush=True,
            )
    try:
        return _fetch(problem)
    except IncompleteError as error:
        print(f"{name}: {error}; it is fetched again.", flush=True)
    try:
        return _fetch(problem)
    except IncompleteError as error:
        raise DownloadError(
            f"{name} from {problem.dataset_url} is incomplete, twice "
            f"({error}): try again later."
        ) from error


def _fetch(problem):
    try:
        X, y = problem.get_X_y(replace=True, verbose=True)
    except IncompleteError:
        raise
    except Exception as error:
        raise no_network(
            f"{problem.dataset_name} from {problem.dataset_url}",
            libsvmdata.libsvm.LIBSVM_DATA_HOME,
            f"libsvm[name={problem.dataset_name}]",
            error,
        ) from error
    return _check(X, y, problem)


def _check(X, y, problem):
    expected = N_SAMPLES.get(problem.dataset_name, X.shape[0])
    if X.shape != (expected, problem.n_features) or len(y) != expected:
        raise IncompleteError(
            f"it has {len(y)} labels and {X.shape[0]} x {X.shape[1]} "
            f"features, not {expected} x {problem.n_features}"
        )
    if sparse.issparse(X) and X.nnz < 2**31:
        # scikit-learn's reader makes 64-bit indices, and its liblinear
        # refuses them
        X.indices = X.indices.astype(np.int32, copy=False)
        X.indptr = X.indptr.astype(np.int32, copy=False)
    return X, y
