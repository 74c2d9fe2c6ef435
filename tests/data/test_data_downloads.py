"""libsvm and openml through their real code, with recorded answers."""
import gzip
import time
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from benchmark_utils.data import downloads, libsvm_files
from benchmark_utils.data.encoding import encode
from benchmark_utils.data.libsvm_files import find, load_libsvm
from benchmark_utils.data.openml_tables import load_openml
from benchmark_utils.data.recorded_answers import (
    LibsvmPage,
    NoNetwork,
    OpenmlServer,
    connect_libsvm,
    connect_openml,
    small_problem,
    svmlight_bytes,
)
from harness import dataset, objective, set_problem

# 62 x 2000 and 2000 x 500 on the LIBSVM page
COLON = small_problem(62, 2000)
MADELON = small_problem(2000, 500, labels=(1, 2), density=0.9)


@pytest.fixture
def page(monkeypatch, tmp_path):
    page = LibsvmPage({
        "colon-cancer.bz2": svmlight_bytes(*COLON),
        "madelon": svmlight_bytes(*MADELON, packed=False),
    })
    connect_libsvm(monkeypatch, tmp_path, page)
    return page


def cached(tmp_path, ending):
    (found,) = (tmp_path / "libsvm").glob(f"*{ending}")
    return found


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def test_libsvm_downloads_unpacks_parses_and_keeps(page, tmp_path, capsys):
    X, y = load_libsvm("colon-cancer")
    assert X.format == "csc"
    np.testing.assert_allclose(X.toarray(), COLON[0])
    np.testing.assert_array_equal(y, COLON[1])
    assert page.asked == [
        "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary/"
        "colon-cancer.bz2"
    ]
    printed = capsys.readouterr().out
    assert "Downloading" in printed
    assert "unpacking" in printed
    assert "62 x 2000" in printed
    # nothing but the converted files stays
    assert {path.name for path in (tmp_path / "libsvm").iterdir()} == {
        "colon-cancer_X.npz", "colon-cancer_y.npy"
    }
    again, _ = load_libsvm("colon-cancer")
    assert again.indices.dtype == np.int32
    assert len(page.asked) == 1
    assert abs(X - again).max() == 0


def test_libsvm_dense_data_and_other_labels(page):
    data = dataset("libsvm", name="madelon", test_share=0.25).get_data()
    assert data["X"].shape == (1500, 500)
    assert data["X_test"].shape == (500, 500)
    assert isinstance(data["X"], np.ndarray)
    assert set(data["y"]) == {1, 2}
    problem = objective(l2=1.0)
    assert set_problem(problem, data) == (False, None)
    assert set(problem.get_objective()["y"]) == {-1, 1}


@pytest.mark.parametrize("ending", ["_X.npz", "_y.npy"])
def test_libsvm_cached_file_that_was_cut_short(
    page, tmp_path, capsys, ending
):
    load_libsvm("colon-cancer")
    cut(cached(tmp_path, ending))
    X, y = load_libsvm("colon-cancer")
    np.testing.assert_allclose(X.toarray(), COLON[0])
    np.testing.assert_array_equal(y, COLON[1])
    assert len(page.asked) == 2
    assert "is damaged" in capsys.readouterr().out


def test_libsvm_cached_file_with_too_few_samples(page, tmp_path, capsys):
    load_libsvm("madelon")
    path = cached(tmp_path, "_X.npy")
    np.save(path, np.load(path)[:100])
    X, _ = load_libsvm("madelon")
    assert X.shape == (2000, 500)
    assert "100 x 500" in capsys.readouterr().out


def test_libsvm_half_a_cache_is_no_cache(page, tmp_path):
    load_libsvm("colon-cancer")
    cached(tmp_path, "_y.npy").unlink()
    load_libsvm("colon-cancer")
    assert len(page.asked) == 2


@pytest.mark.parametrize("name, file", [
    ("colon-cancer", "colon-cancer.bz2"), ("madelon", "madelon"),
])
def test_libsvm_download_that_was_cut_short(page, capsys, name, file):
    whole = page.problems[file]
    page.problems[file] = whole[:len(whole) // 2]
    with pytest.raises(downloads.DownloadError, match="incomplete, twice"):
        load_libsvm(name)
    assert len(page.asked) == 2
    # and the next time, it is whole
    page.problems[file] = whole
    X, _ = load_libsvm(name)
    assert X.shape[0] == len({"colon-cancer": COLON, "madelon": MADELON}[
        name
    ][1])


def test_libsvm_file_of_several_streams(page):
    X, y = COLON
    page.problems["colon-cancer.bz2"] = (
        svmlight_bytes(X[:30], y[:30]) + svmlight_bytes(X[30:], y[30:])
    )
    np.testing.assert_allclose(load_libsvm("colon-cancer")[0].toarray(), X)


def test_libsvm_without_a_network(monkeypatch, tmp_path):
    connect_libsvm(monkeypatch, tmp_path, NoNetwork())
    one = dataset("libsvm", name="rcv1")
    skip, reason = set_problem(objective(l2=1.0), one)
    assert skip
    for part in (
        "rcv1_train.binary.bz2", "could not be downloaded",
        'benchopt prepare . -d "libsvm[name=rcv1.binary]"',
        str(tmp_path / "libsvm"),
    ):
        assert part in reason


@pytest.mark.parametrize("name, reason", [
    ("rcv2", "did you mean rcv1"),
    ("xyzzy", "choose among HIGGS, SUSY, a1a"),
    ("mnist", "mnist is a multiclass problem"),
    ("housing", "housing is a regression problem"),
    (3, "no dataset 3"),
])
def test_libsvm_unknown_names(page, name, reason):
    one = dataset("libsvm", name=name)
    skip, said = set_problem(objective(l2=1.0), one)
    assert skip
    assert reason in said
    assert page.asked == []


@pytest.mark.parametrize("name", [
    "rcv1", "news20", "real-sim", "a9a", "w8a", "ijcnn1", "covtype",
    "madelon", "gisette", "webspam", "url", "kdda", "avazu", "HIGGS",
    "epsilon",
])
def test_libsvm_knows_the_names_of_the_literature(name):
    problem = find(name)
    assert problem.dataset_url.startswith("https://www.csie.ntu.edu.tw/")
    assert problem.dataset_name in libsvm_files.N_SAMPLES


def test_libsvm_w3a_is_not_w1a():
    # libsvmdata 0.5 downloads w1a for these
    for i in range(3, 7):
        assert find(f"w{i}a").dataset_url.endswith(f"/w{i}a")
        assert find(f"w{i}a_test").dataset_url.endswith(f"/w{i}a.t")


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = OpenmlServer()
    connect_openml(monkeypatch, tmp_path, server)
    return server


def test_openml_categories_and_labels(server, tmp_path, capsys):
    data = dataset("openml", data_id=1119, scaling="raw").get_data()
    X, y = data["X"], data["y"]
    # the recorded table holds the first 10 of its 48842 samples
    assert len(y) == 10
    assert set(y) == {"<=50K", ">50K"} or set(y) == {" <=50K", " >50K"}
    assert np.isfinite(X).all()
    numbers, levels = X[:, :6], X[:, 6:]
    assert (numbers > 1).any()
    assert np.isin(levels, [0, 1]).all()
    # 8 categories, one level each
    assert (levels.sum(axis=1) == 8).all()
    assert set_problem(objective(l2=1.0), data) == (False, None)
    assert (tmp_path / "openml").exists()
    asked = len(server.asked)
    dataset("openml", data_id=1119).get_data()
    assert len(server.asked) == asked, "the cache was not used"


def test_openml_missing_values_are_reported(server, capsys):
    # Titanic, the whole table
    X, y = load_openml(data_id=40945)
    printed = capsys.readouterr().out
    assert X.shape[0] == len(y) == 1309
    values = X.data if sparse.issparse(X) else X
    assert np.isfinite(values).all()
    assert "missing entries filled" in printed
    assert "left out name (text)" in printed
    assert (y == "1").mean() == pytest.approx(0.382, abs=0.001)


def test_openml_sparse_table(server):
    X, y = load_openml(data_id=292)
    assert sparse.issparse(X)
    assert X.shape[0] == len(y)


def test_openml_file_that_was_cut_short(server, tmp_path):
    first, _ = load_openml(data_id=40945)
    # the name of the file differs between versions of scikit-learn
    (path,) = [
        path for path in tmp_path.rglob("*.gz") if "16826755" in str(path)
    ]
    whole = gzip.decompress(path.read_bytes())
    for damaged in (
        path.read_bytes()[:-3000],
        gzip.compress(whole[:len(whole) // 2]),
    ):
        path.write_bytes(damaged)
        asked = len(server.asked)
        with pytest.warns(RuntimeWarning, match="Invalid cache, redownload"):
            again, _ = load_openml(data_id=40945)
        assert len(server.asked) == asked + 1
        assert again.shape == first.shape
        assert gzip.decompress(path.read_bytes()) == whole


def test_openml_without_a_network(monkeypatch, server, tmp_path):
    def offline(*arguments, **options):
        raise URLError("Name or service not known")

    monkeypatch.setattr("sklearn.datasets._openml.urlopen", offline)
    monkeypatch.setattr("sklearn.datasets._openml.time.sleep", lambda s: 0)
    one = dataset("openml", data_id=31)
    skip, reason = set_problem(objective(l2=1.0), one)
    assert skip
    for part in (
        "OpenML's table 31 could not be downloaded",
        'benchopt prepare . -d "openml[data_id=31]"',
        str(tmp_path / "openml"),
    ):
        assert part in reason


@pytest.mark.parametrize("parameters, reason", [
    (dict(data_id=99999), "check the number or the name"),
    (dict(name="no-such-table"), "check the number or the name"),
    (dict(target="nothing"), "nothing"),
    (dict(data_id="xyz"), "check the number or the name"),
    # a regression problem
    (dict(data_id=561), "y has 104 classes, not two"),
])
def test_openml_what_does_not_exist(server, parameters, reason):
    one = dataset("openml", **parameters)
    skip, said = set_problem(objective(l2=1.0), one)
    assert skip
    assert reason in said


def test_growth_is_shown(tmp_path, capsys):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_bytes(b"x" * 3_000_000)
    printed, deadline = "", time.monotonic() + 60
    with downloads.growth_shown(tmp_path / "new", "table", every=0.02):
        # whole at once: what is written may be looked at half-way
        (tmp_path / "old").rename(tmp_path / "new")
        while not printed and time.monotonic() < deadline:
            time.sleep(0.1)
            printed = capsys.readouterr().out
    assert printed.startswith("table: 3.0 MB after")
    assert printed.count("\n") == 1


def frame():
    return pd.DataFrame({
        "age": [20.0, np.nan, 40.0, 30.0],
        "kind": pd.Categorical(["b", "a", None, "b"]),
        "flag": [True, False, True, True],
        "nothing": [None] * 4,
        "name": ["ann", "bob", "cy", "di"],
    })


def test_encode(capsys):
    X = encode(frame(), "table")
    np.testing.assert_array_equal(X, [
        # age, flag, kind: a, b, missing
        [20, 1, 0, 1, 0],
        [30, 0, 1, 0, 0],
        [40, 1, 0, 0, 1],
        [30, 1, 0, 1, 0],
    ])
    printed = capsys.readouterr().out
    assert "left out nothing (no entries), name (text)" in printed
    assert "2 missing entries filled" in printed


def test_encode_sparse_is_dense():
    rng = np.random.default_rng(0)
    many = pd.DataFrame({
        "zip": rng.integers(0, 100, 400).astype(str),
        "x": rng.standard_normal(400) * (rng.random(400) < 0.1),
    })
    X = encode(many, "table")
    assert X.format == "csr"
    expected = np.column_stack([
        many["x"], pd.get_dummies(many["zip"]).to_numpy()
    ])
    np.testing.assert_array_equal(X.toarray(), expected)


def test_encode_keeps_float32_and_takes_nullable_integers():
    single = pd.DataFrame({"a": np.ones(3, np.float32)})
    assert encode(single, "table").dtype == np.float32
    nullable = pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64")})
    np.testing.assert_array_equal(encode(nullable, "t"), [[1], [2], [3]])
    with pytest.raises(ValueError, match="no column that can be"):
        encode(frame()[["name"]], "table")
