"""The user's own data, in every format, whole and broken."""
import bz2
import gzip
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file

from benchmark_utils.data import files as data_files
from benchmark_utils.data.files import DataFileError, read_data_file
from benchmark_utils.problem.certificate import certify
from harness import (
    attach,
    dataset,
    objective,
    run_to_the_end,
    set_problem,
    solver,
)

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 5))
Y = np.where(X[:, 0] + RNG.standard_normal(40) > 0, 1, -1)
THIN = sparse.random(40, 30, 0.1, format="csr", random_state=0)


def read(path, **parameters):
    one = dataset("file", path=str(path), **parameters)
    attach(dataset=one)
    return one.get_data()


def frame():
    table = pd.DataFrame(X.copy(), columns=list("abcde"))
    table["is good"] = np.where(Y > 0, "yes", "no")
    return table


@pytest.mark.parametrize("ending", ["svm", "libsvm", "svmlight", "txt"])
def test_svmlight(tmp_path, ending):
    path = tmp_path / f"data.{ending}"
    dump_svmlight_file(X, Y, str(path), zero_based=False)
    data = read(path)
    assert isinstance(data["X"], np.ndarray)
    np.testing.assert_allclose(data["X"], X)
    np.testing.assert_array_equal(data["y"], Y)
    dump_svmlight_file(THIN, Y, str(path))
    assert sparse.issparse(read(path)["X"])


@pytest.mark.parametrize("zero_based", [True, False])
@pytest.mark.parametrize("dense", [True, False])
def test_svmlight_piece_by_piece(tmp_path, monkeypatch, dense, zero_based):
    expected = X if dense else THIN.toarray()
    # the first column is what tells the two ways of counting apart
    expected = expected.copy()
    expected[0, 0] = 1.0
    path = tmp_path / "data.svm"
    dump_svmlight_file(expected, Y, str(path), zero_based=zero_based)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["# comment", lines[0], "", *lines[1:]]))
    whole = read(path)
    for piece in (1, 7, 100, 1000):
        monkeypatch.setattr(data_files, "PIECE", piece)
        data = read_data_file(path)
        assert type(data["X"]) is type(whole["X"])
        found = data["X"] if dense else data["X"].toarray()
        np.testing.assert_allclose(found, expected)
        np.testing.assert_array_equal(data["y"], Y)
    if not dense:
        assert whole["X"].indices.dtype == np.int32
        assert whole["X"].has_sorted_indices


@pytest.mark.parametrize("module, ending", [(gzip, "gz"), (bz2, "bz2")])
def test_packed_text(tmp_path, module, ending):
    dump_svmlight_file(X, Y, str(tmp_path / "plain"), zero_based=False)
    path = tmp_path / f"data.svm.{ending}"
    path.write_bytes(module.compress((tmp_path / "plain").read_bytes()))
    np.testing.assert_allclose(read(path)["X"], X)
    frame().to_csv(tmp_path / "plain", index=False)
    path = tmp_path / f"data.csv.{ending}"
    path.write_bytes(module.compress((tmp_path / "plain").read_bytes()))
    np.testing.assert_allclose(read(path, label="is good")["X"], X)


@pytest.mark.parametrize("ending, write", [
    ("csv", lambda table, path: table.to_csv(path, index=False)),
    ("tsv", lambda table, path: table.to_csv(path, index=False, sep="\t")),
    ("parquet", lambda table, path: table.to_parquet(path)),
    ("pq", lambda table, path: table.to_parquet(path)),
])
def test_tables(tmp_path, capsys, ending, write):
    table = frame()
    table["kind"] = np.resize(["b", "a"], 40)
    table.loc[3, "c"] = np.nan
    table.loc[5, "is good"] = None
    path = tmp_path / f"my data.{ending}"
    write(table, path)
    data = read(path, label="is good")
    kept = np.delete(np.arange(40), 5)
    assert data["X"].shape == (39, 7)
    np.testing.assert_allclose(data["X"][:, [0, 1, 3, 4]], X[kept][:, [
        0, 1, 3, 4
    ]])
    assert data["X"][3, 2] == pytest.approx(np.nanmedian(table["c"][kept]))
    np.testing.assert_array_equal(data["X"][:, 6], kept % 2 == 0)
    np.testing.assert_array_equal(
        data["y"] == "yes", Y[kept] > 0
    )
    printed = capsys.readouterr().out
    assert "1 samples without a label dropped" in printed
    assert "1 missing entries filled" in printed
    assert set_problem(objective(l2=1.0), data) == (False, None)


def test_npz(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, X=X[:30], y=Y[:30], X_test=X[30:], y_test=Y[30:],
             coef_true=np.ones(5))
    data = read(path)
    assert set(data) == {"X", "y", "X_test", "y_test", "coef_true"}
    assert set_problem(objective(l2=1.0), data) == (False, None)
    with pytest.raises(ValueError, match="has its own X_test"):
        read(path, scaling="maxabs")
    np.savez_compressed(path, X=X, y=Y, coef_true=np.ones(5))
    assert set(read(path)) == {"X", "y", "coef_true"}
    split = read(path, scaling="standardized", test_share=0.25)
    assert set(split) == {"X", "y", "X_test", "y_test"}
    assert split["X"].shape == (30, 5)


def test_sparse_npz(tmp_path):
    path = tmp_path / "data.npz"
    parts = dict(X_data=THIN.data, X_indices=THIN.indices,
                 X_indptr=THIN.indptr, X_shape=THIN.shape)
    np.savez(path, y=Y, **parts)
    data = read(path)
    assert data["X"].format == "csr"
    assert abs(data["X"] - THIN).max() == 0
    parts["X_indices"] = THIN.indices + 1000
    np.savez(path, y=Y, **parts)
    with pytest.raises(DataFileError, match="cannot be read as npz"):
        read(path)


def test_npy(tmp_path):
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    np.save(tmp_path / "y.npy", Y)
    data = read(tmp_path / "X.npy", label="y.npy")
    assert data["X"].dtype == np.float32
    np.testing.assert_array_equal(data["y"], Y)
    with pytest.raises(DataFileError, match="set label to the .npy file"):
        read(tmp_path / "X.npy")
    with pytest.raises(DataFileError, match="z.npy does not exist"):
        read(tmp_path / "X.npy", label="z.npy")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_memory_map(tmp_path, kind, dtype, order):
    stored = np.asarray(X, dtype=dtype, order=order)
    path = tmp_path / f"X.{kind}"
    if kind == "npy":
        np.save(path, stored)
        np.save(tmp_path / "y.npy", Y)
        data = read(path, label="y.npy", memory_map=True)
    else:
        np.savez(path, y=Y, X=stored)
        data = read(path, memory_map=True)
    assert isinstance(data["X"], np.memmap)
    np.testing.assert_array_equal(data["X"], stored)
    # and it stays on disk in the objective
    problem = objective(l2=1.0)
    assert set_problem(problem, data) == (False, None)
    given = problem.get_objective()["X"]
    assert np.shares_memory(given, data["X"])
    assert given.dtype == dtype
    assert given.flags.c_contiguous == (order == "C")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_memory_map_is_never_copied(tmp_path, order, dtype):
    path = tmp_path / "X.npy"
    on_disk = np.lib.format.open_memmap(
        path, "w+", dtype, (200000, 60), fortran_order=order == "F"
    )
    for j in range(60):
        on_disk[:, j] = np.random.default_rng(j).random(200000)
    y = np.where(on_disk[:, 0] > 0.5, 1.0, -1.0)
    np.save(tmp_path / "y.npy", y)
    del on_disk
    coef = np.linspace(-1, 1, 60)
    tracemalloc.start()
    try:
        data = read(path, label="y.npy", memory_map=True)
        problem = objective(l1=0.1, l2=1.0)
        set_problem(problem, data)
        problem(dict(coef=coef))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # vectors of n, and a block of 32 MB where float32 is converted; a copy
    # in float64 would be 96 MB more
    assert peak < 12 * 8 * len(y) + (2**25 if dtype == np.float32 else 0)
    whole = certify(np.load(path).astype(float), y, coef, 0.0, 0.0, 1.0,
                    False)
    mapped = certify(data["X"], y, coef, 0.0, 0.0, 1.0, False)
    assert mapped.value == pytest.approx(whole.value, rel=1e-12)


@pytest.mark.parametrize("fit_intercept, names", [
    # what docs/datasets.md says: C order, float64
    (True, ["sklearn[solver=lbfgs]", "sklearn[solver=sag]"]),
    (False, [
        "scipy[method=L-BFGS-B]", "sklearn[solver=lbfgs]",
        "sklearn[solver=sag]", "sklearn[solver=liblinear]",
    ]),
    pytest.param(False, [
        "loop-fused-newton",
        "proximal-gradient[accelerated=True,compiled=True,step=fixed]",
    ], marks=pytest.mark.slow),
])
def test_solvers_that_leave_a_memory_map_on_disk(
    tmp_path, fit_intercept, names
):
    path = tmp_path / "X.npy"
    big = RNG.standard_normal((20000, 100))
    np.save(path, big)
    np.save(tmp_path / "y.npy", big[:, 0] + RNG.random(20000) > 0)
    problem = objective(l2=1.0, fit_intercept=fit_intercept)
    for name in names:
        one = dataset(
            "file", path=str(path), label="y.npy", memory_map=True
        )
        # compile before memory is counted
        run_to_the_end(solver(name), problem, one, n_iter=2)
        tracemalloc.start()
        try:
            run = run_to_the_end(solver(name), problem, one, n_iter=2)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert run.skipped is None
        assert peak < 0.5 * big.nbytes, name


def test_memory_map_of_what_cannot_be(tmp_path):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, X=X, y=Y)
    with pytest.raises(DataFileError, match="numpy.savez, not savez_compr"):
        read(path, memory_map=True)
    np.savez(path, X=X, y=Y)
    with pytest.raises(ValueError, match="needs scaling=raw"):
        read(path, memory_map=True, scaling="maxabs")
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataFileError, match="cannot be memory-mapped"):
        read(tmp_path / "data.csv", memory_map=True)


def cut(path):
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize("name, write, parameters, reason", [
    ("a.svm", lambda p: p.write_text("1 1:0.5\n2 2:x\n"), {},
     "cannot be read as svm: could not convert"),
    ("b.svm", lambda p: p.write_text("hello world\n"), {},
     "cannot be read as svm"),
    ("c.npz", lambda p: (np.savez(p, X=X, y=Y), cut(p)), {},
     "cannot be read as npz"),
    ("d.npz", lambda p: np.savez(p, A=X, y=Y), {},
     "d.npz holds A, y: it must hold y and X"),
    ("e.npz", lambda p: np.savez(p, X=X.astype(object), y=Y), {},
     "cannot be read as npz: Object arrays"),
    ("f.parquet", lambda p: (frame().to_parquet(p), cut(p)),
     dict(label="is good"), "cannot be read as parquet"),
    ("g.csv", lambda p: frame().to_csv(p, index=False), {},
     "has no column None: set label to the name of the column of labels, "
     "one of a, b, c, d, e, is good"),
    ("h.csv", lambda p: frame().to_csv(p, index=False), dict(label="good"),
     "has no column 'good'"),
    ("i.csv", lambda p: p.write_text("a,b\n1,2\n3,4,5,6\n"),
     dict(label="b"), "cannot be read as csv: Error tokenizing"),
    ("j.csv", lambda p: p.write_text(""), dict(label="b"), "is empty"),
    ("k.csv", lambda p: p.write_bytes(b"\x00\xff\xfe" * 99),
     dict(label="b"), "k.csv"),
    ("l.xlsx", lambda p: p.write_text("x"), {}, "is of no known kind"),
    ("m.npz.gz", lambda p: p.write_text("x"), {}, "is of no known kind"),
    ("n.svm.gz", lambda p: p.write_text("1 1:1\n"), {},
     "cannot be read as svm"),
    ("o.svm", lambda p: p.mkdir(), {}, "is a folder"),
    ("p.svm", lambda p: None, {}, "does not exist"),
    ("q.csv", lambda p: p.write_text("a,b\n1,x\n2,y\n3,z\n"),
     dict(label="b"), "y has 3 classes, not two"),
])
def test_what_cannot_be_read(tmp_path, name, write, parameters, reason):
    path = tmp_path / name
    write(path)
    one = dataset("file", path=str(path), **parameters)
    skip, said = set_problem(objective(l2=1.0), one)
    assert skip
    assert reason in said
    assert name in said or "classes" in said


def test_no_path():
    skip, said = set_problem(objective(l2=1.0), dataset("file"))
    assert skip
    assert 'give a path: -d "file[path=data.svm]"' in said
    # benchopt prepare has nothing to do
    dataset("file").prepare()


def test_home_and_relative_paths(tmp_path, monkeypatch):
    dump_svmlight_file(X, Y, str(tmp_path / "data.svm"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert read("~/data.svm")["X"].shape == X.shape
    monkeypatch.chdir(tmp_path)
    assert read("data.svm")["X"].shape == X.shape


def peak_over_size(path, **parameters):
    tracemalloc.start()
    try:
        found = read_data_file(path, **parameters)["X"]
        size = found.nbytes if isinstance(found, np.ndarray) else sum(
            part.nbytes for part in (found.data, found.indices, found.indptr)
        )
        return tracemalloc.get_traced_memory()[1] / size
    finally:
        tracemalloc.stop()


def test_reading_takes_less_than_three_times_x(tmp_path, monkeypatch):
    monkeypatch.setattr(data_files, "PIECE", 2**15)
    dump_svmlight_file(X.repeat(1000, axis=0), Y.repeat(1000),
                       str(tmp_path / "a.svm"))
    assert peak_over_size(tmp_path / "a.svm") < 3
    dump_svmlight_file(sparse.vstack([THIN] * 1000), np.tile(Y, 1000),
                       str(tmp_path / "b.svm"))
    assert peak_over_size(tmp_path / "b.svm") < 3
    big = RNG.random((20000, 50))
    y = np.resize([0, 1], 20000)
    np.savez_compressed(tmp_path / "a.npz", X=big, y=y)
    assert peak_over_size(tmp_path / "a.npz") < 3
    table = pd.DataFrame(big, columns=[f"x{j}" for j in range(50)])
    table["label"] = y
    table.to_parquet(tmp_path / "a.parquet")
    assert peak_over_size(tmp_path / "a.parquet", label="label") < 3
    table.iloc[:5000].to_csv(tmp_path / "a.csv", index=False)
    assert peak_over_size(tmp_path / "a.csv", label="label") < 3
