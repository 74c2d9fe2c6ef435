"""Fetch a table from OpenML, and turn it into numbers.

Download, checksum (MD5) and cache are those of scikit-learn's
`fetch_openml`, which also drops a cached file that is damaged and fetches it
again.
"""
import warnings
from io import StringIO
from pathlib import Path
from urllib.error import HTTPError, URLError

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.datasets import fetch_openml, get_data_home

from benchmark_utils.data.downloads import (
    DownloadError,
    growth_shown,
    no_network,
)
from benchmark_utils.data.encoding import drop_unlabelled, encode


def load_openml(data_id=None, name=None, version="active", target=None):
    """Load a table from OpenML, downloaded if need be.

    Parameters
    ----------
    data_id : int, optional
        The number in the address of its page, https://www.openml.org/d/1119.
    name : str, optional
        Its name; `data_id` is then not looked at.
    version : int or "active"
        Which of the tables of that name; "active" is the oldest active one.
    target : str, optional
        The column of labels; OpenML's own choice by default.

    Returns
    -------
    X : array, or CSR matrix for sparse tables or below 10 % nonzeros
        (n_samples, n_features); see `encoding.encode`.
    y : array of shape (n_samples,)

    Raises
    ------
    ValueError
        Where there is no such table or column.
    DownloadError
        Without a network.
    """
    which = dict(data_id=data_id)
    selector = f"openml[data_id={data_id}]"
    if name is not None:
        which = dict(name=name, version=version)
        selector = f"openml[name={name}]"
    what = f"OpenML's {name or f'table {data_id}'}"
    folder = Path(get_data_home()) / "openml"
    print(f"{what}: from {folder}, or downloaded ...", flush=True)
    try:
        with growth_shown(folder, what), warnings.catch_warnings():
            # that there are several versions, that a download is tried again
            warnings.simplefilter("ignore", UserWarning)
            # that a damaged file is fetched again
            warnings.simplefilter("default", RuntimeWarning)
            table = fetch_openml(
                **which, target_column=target or "default-target",
                as_frame="auto", parser=_parser(), n_retries=1,
            )
    except HTTPError as error:
        raise DownloadError(
            f"{what}: the server answered {error.code} ({error.reason}): "
            "check the number or the name on https://www.openml.org, or try "
            "again later."
        ) from error
    except (URLError, TimeoutError, ConnectionError) as error:
        raise no_network(what, folder, selector, error) from error
    except KeyError as error:
        raise ValueError(
            f"{what} has no column {error}: leave target out, or set it to "
            "one of its columns."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{what} cannot be used ({error}): check the number or the name "
            "on https://www.openml.org."
        ) from error
    return _numbers(table, what)


def _parser():
    """The parser of scikit-learn that works with this pandas.

    From 3.1 on pandas reads categories 0 and 1 as numbers, on which
    scikit-learn's fast parser fails up to 1.9.1 (its pull request 34902), and
    it then drops a good cached file.
    """
    column = pd.read_csv(StringIO("0"), header=None, dtype="category")[0]
    text = isinstance(column.cat.categories[0], str)
    return "auto" if text else "liac-arff"


def _numbers(table, what):
    if table.target is None or getattr(table.target, "ndim", 1) != 1:
        raise ValueError(
            f"{what} has no single column of labels: set target to one of "
            f"{', '.join(map(str, table.feature_names[:20]))}."
        )
    X, y = drop_unlabelled(table.data, pd.Series(table.target), what)
    if not sparse.issparse(X):
        return encode(X, what), y
    missing = np.isnan(X.data)
    if missing.any():
        print(f"{what}: {missing.sum()} missing entries set to zero.")
        X.data[missing] = 0
        X.eliminate_zeros()
    return X, y
