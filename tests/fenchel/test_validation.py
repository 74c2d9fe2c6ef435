"""Bad inputs are refused in words, by the function and the benchmark alike."""
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy
from scipy import sparse

from benchmark_utils.fenchel import fit
from benchmark_utils.fenchel.validation import (
    DataError,
    check_design,
    check_labels,
    check_parameters,
    check_start,
)
from harness import objective, set_problem

SCIPY = tuple(map(int, scipy.__version__.split(".")[:2]))

X = np.random.default_rng(0).standard_normal((8, 3)).round(2)
Y = np.array([0, 1, 0, 1, 1, 0, 0, 1])
SIGNS = np.where(Y == 1, 1.0, -1.0)


def with_entry(value, dtype=float):
    bad = X.astype(dtype)
    bad[2, 1] = value
    return bad


def broken(kind=sparse.csr_matrix, **parts):
    """A sparse X whose structure is changed after it was built."""
    bad = kind(np.abs(X) + 1)
    for name, change in parts.items():
        array = np.array(getattr(bad, name))
        setattr(bad, name, change(array))
    return bad


def put(place, value):
    def change(array):
        array[place] = value
        return array

    return change


def stray_coo():
    bad = sparse.coo_matrix(X)
    bad.col[1] = 10**6
    return bad


def stray_lil():
    bad = sparse.lil_matrix(X)
    bad.rows[1][0] = -4
    return bad


def short_lil():
    bad = sparse.lil_matrix(X)
    bad.rows[1].pop()
    return bad


def stray_dok():
    bad = sparse.dok_matrix(X)
    bad._dict[(3, 77)] = 1.0
    return bad


def twice_dia():
    bad = sparse.dia_matrix(X)
    bad.offsets = np.zeros_like(bad.offsets)
    return bad


class Raises:
    """An array of somebody whose conversion fails."""

    def __array__(self, *arguments, **options):
        raise OSError("the file is gone")


FRAME = pd.DataFrame(X, columns=["age", "height", "colour"])
WORDS = FRAME.assign(colour=["red", "blue"] * 4)
BAD_DESIGNS = {
    "masked": (np.ma.masked_array(X, X > 1), "masked entries"),
    "masked, nothing": (np.ma.masked_array(X), "X is a masked array"),
    "masked rows": ([np.ma.masked_array(row, row > 1) for row in X], "mask"),
    "complex": (X + 1j, "X is complex: give real"),
    "complex, real": (X + 0j, "X is complex: give real"),
    "complex object": (with_entry(1j, object), "1j in column 1, row 2"),
    "complex sparse": (sparse.csr_matrix(X + 0j), "X is complex"),
    "NaN": (with_entry(np.nan), "NaN or infinity: impute"),
    "NaN where": (with_entry(np.nan), "column 1, row 2"),
    "NaN in Fortran order": (
        np.asfortranarray(with_entry(np.nan)), "column 1, row 2"
    ),
    "infinity": (with_entry(-np.inf), "NaN or infinity"),
    "float32": (with_entry(np.inf).astype(np.float32), "NaN or infinity"),
    "float16": (with_entry(np.inf).astype(np.float16), "NaN or infinity"),
    "NaN in a frame": (FRAME.replace(X[2, 1], np.nan), "('height'), row 2"),
    "text": (with_entry("a", object), "'a' in column 1, row 2"),
    "text that is a number": (with_entry("1.5", object), "'1.5' in column 1"),
    "texts": (X.astype(str), "entries are not numbers: encode"),
    "bytes": (X.astype("S"), "entries are not numbers: encode"),
    "column of words": (WORDS, "'red' in column 2 ('colour')"),
    "None": (with_entry(None, object), "None in column 1, row 2, which is"),
    "pandas.NA": (
        FRAME.assign(age=pd.array([1, None] * 4, "Int64")),
        "<NA> in column 0 ('age'), row 1, which is missing",
    ),
    "NaT": (with_entry(pd.NaT, object), "missing"),
    "large integers": (with_entry(10**400, object), "not numbers"),
    "lists": (with_entry(None, object).tolist(), "missing"),
    "dates": (X.astype("datetime64[D]"), "dates"),
    "spans": (X.astype("timedelta64[D]"), "dates"),
    "dates in a frame": (
        FRAME.assign(age=pd.Timestamp("2020")), "column 0 ('age')"
    ),
    "ragged": ([[1], [1, 2]] * 4, "X is no array"),
    "raises": (Raises(), "OSError: the file is gone"),
    "nothing": (None, "0 dimension"),
    "a number": (3.0, "0 dimension"),
    "one dimension": (X[:, 0], "1 dimension"),
    "three dimensions": (X[:, :, None], "3 dimension"),
    "no samples": (X[:0], "at least one"),
    "no features": (X[:, :0], "at least one"),
    "no features, sparse": (sparse.csr_matrix((8, 0)), "at least one"),
    "sparse of one dimension": (
        sparse.coo_array(X[:, 0]), "X has 1 dimension"
    ),
    "NaN in CSC": (sparse.csc_matrix(with_entry(np.nan)), "NaN or infinity"),
    "NaN in COO": (sparse.coo_matrix(with_entry(np.nan)), "NaN or infinity"),
    "NaN in float32 CSR": (
        sparse.csr_matrix(with_entry(np.nan).astype(np.float32)),
        "NaN or infinity",
    ),
    "index of a million": (
        broken(indices=put(1, 10**6)), "an index is 1000000, and must be"
    ),
    "index n_features": (broken(indices=put(1, 3)), "an index is 3, and"),
    "negative index": (broken(indices=put(1, -5)), "an index is -5, and"),
    "index in CSC": (
        broken(sparse.csc_matrix, indices=put(1, 8)), "in 0 to 7"
    ),
    "index in BSR": (
        broken(sparse.bsr_matrix, indices=put(1, 9)), "an index is 9"
    ),
    "index in COO": (stray_coo(), "an index is 1000000, and"),
    "index in LIL": (stray_lil(), "an index is not in 0 to 2"),
    "row of LIL": (short_lil(), "more indices than values, or fewer"),
    "index in DOK": (stray_dok(), "sparse matrix (dok) of broken"),
    "DIA twice": (twice_dia(), "an offset is there twice"),
    "DIA too few": (
        broken(sparse.dia_matrix, offsets=lambda a: a[:-1]), "offsets for"
    ),
    "indptr too short": (
        broken(indptr=lambda a: a[:-1]), "indptr has 8 entries, not 9"
    ),
    "indptr decreases": (broken(indptr=put(3, 0)), "indptr decreases"),
    "indptr beyond": (broken(indptr=put(-1, 99)), "indptr ends with 99"),
    "indptr begins": (broken(indptr=put(0, 2)), "indptr begins with 2"),
    "indptr of floats": (
        broken(indptr=lambda a: a.astype(float)), "must be integers"
    ),
    "data too short": (
        broken(data=lambda a: a[:-1]), "24 indices and 23 values"
    ),
    "COO lengths": (
        broken(sparse.coo_matrix, data=lambda a: a[:-1]), "different lengths"
    ),
    "data of objects": (
        broken(data=lambda a: np.where(a > 2, "b", a.astype(object))),
        "entries are not numbers",
    ),
}
# SciPy has such matrices from 1.15 on
if SCIPY >= (1, 15):
    BAD_DESIGNS |= {
        "CSR of one dimension": (
            sparse.csr_array(X[:, 0]), "X has 1 dimension"
        ),
        "sparse of three dimensions": (
            sparse.coo_array(np.ones((8, 3, 2))), "X has 3 dimension"
        ),
    }
BAD_LABELS = {
    "masked": (np.ma.masked_array(Y, Y == 7), "y is a masked array"),
    "complex": (Y + 1j, "y is complex"),
    "complex, real": (Y + 0j, "y is complex"),
    "complex objects": (
        np.array([1j, 1, 0, 0, 0, 0, 1, 1], object), "y is complex"
    ),
    "None": (np.where(Y == 1, None, 0), "missing labels"),
    "NaN": (np.where(Y == 1, np.nan, 0.0), "NaN or infinity"),
    "NaN of objects": (
        np.where(Y == 1, np.nan, 0.0).astype(object), "missing labels"
    ),
    "infinity": (np.where(Y == 1, np.inf, 0.0), "NaN or infinity"),
    "mixed": (np.where(Y == 1, "a", Y.astype(object)), "several types"),
    "one class": (np.ones(8), "the single class 1.0"),
    "one class of texts": (["a"] * 8, "the single class 'a'"),
    "three classes": ([0, 1, 2, 0, 1, 2, 0, 1], "3 classes, not two"),
    "three signs": (np.where(Y == 1, 1.0, [0, -1] * 4), "3 classes"),
    "two columns": (np.ones((8, 2)), "one label a sample"),
    "a number": (1.0, "one label a sample"),
    "length": (Y[:5], "5 labels for 8 samples"),
    "empty": ([], "0 labels for 8 samples"),
    "ragged": ([[1], [1, 2]] * 4, "y is no array"),
    "raises": (Raises(), "y is no array (OSError"),
    "sparse": (sparse.csr_matrix(Y[:, None]), "one label a sample"),
    "pandas.NA": (
        pd.array(["a", None, "b", "a", "b", "a", "a", "b"], "string"),
        "missing labels",
    ),
    "NaT": (np.array(["2020", "NaT"] * 4, "datetime64[Y]"), "missing labels"),
}
BAD_PARAMETERS = {
    "l2 zero": (dict(l2=0), "l2 must be positive"),
    "l2 negative": (dict(l2=-1.0), "l2=-1.0 must be finite and not negative"),
    "l2 NaN": (dict(l2=np.nan), "l2=nan must be finite"),
    "l2 infinite": (dict(l2=np.inf), "l2=inf must be finite"),
    "l2 too large": (dict(l2=10**400), "l2=inf must be finite"),
    "l2 of text": (dict(l2="1"), "l2='1' is not a number"),
    "l2 None": (dict(l2=None), "l2=None is not a number"),
    "l2 of two": (dict(l2=[1, 0.1]), "l2=[1, 0.1] is not a number"),
    "l2 array": (dict(l2=np.ones(1)), "is not a number"),
    "l2 boolean": (dict(l2=True), "l2=True is not a number"),
    "l2 complex": (dict(l2=1 + 0j), "is not a number"),
    "l1 negative": (dict(l1=-0.1), "l1=-0.1 must be"),
    "intercept text": (
        dict(fit_intercept="False"), "fit_intercept='False' is not a boolean"
    ),
    "intercept 1": (dict(fit_intercept=1), "is not a boolean"),
    "intercept None": (dict(fit_intercept=None), "is not a boolean"),
    "tol NaN": (dict(tol=np.nan), "tol=nan must be"),
    "tol negative": (dict(tol=-1), "tol=-1.0 must be finite and not neg"),
    "tol text": (dict(tol="1e-3"), "tol='1e-3' is not a number"),
    "tol boolean": (dict(tol=False), "tol=False is not a number"),
    "max_iter negative": (dict(max_iter=-5), "max_iter=-5 must not be"),
    "max_iter float": (dict(max_iter=10.0), "max_iter=10.0 is not an int"),
    "max_iter boolean": (dict(max_iter=True), "is not an integer"),
    "max_iter None": (dict(max_iter=None), "is not an integer"),
    "copy": (dict(float32_copy="no"), "float32_copy='no' is not a boolean"),
    "compile": (dict(compile=1), "compile=1 is not a boolean"),
}
OF_THE_FIT = ("tol", "max_iter", "float32_copy", "compile")


@pytest.mark.parametrize("case", BAD_DESIGNS)
def test_bad_designs(case):
    bad, words = BAD_DESIGNS[case]
    with pytest.raises(DataError) as error:
        check_design(bad)
    assert words in str(error.value)
    assert str(error.value).startswith("X ")
    problems = [(dict(X=bad, y=Y), "X ")]
    if bad is not None:
        problems.append((dict(X=X, y=Y, X_test=bad, y_test=Y), "X_test "))
    for data, name in problems:
        skip, reason = set_problem(objective(l2=1.0), data)
        assert skip
        assert reason.startswith(name)
        assert words.removeprefix("X ") in reason


@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels(case):
    bad, words = BAD_LABELS[case]
    with pytest.raises(DataError) as error:
        check_labels(bad, len(X))
    assert words in str(error.value)
    skip, reason = set_problem(objective(l2=1.0), dict(X=X, y=bad))
    assert skip and reason == str(error.value)
    skip, reason = set_problem(
        objective(l2=1.0), dict(X=X, y=Y, X_test=X, y_test=bad)
    )
    # a test may well have one class of those of the training data
    assert skip == (case != "one class")
    assert not skip or reason.startswith("y_test ")


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_bad_parameters(case):
    bad, words = BAD_PARAMETERS[case]
    with pytest.raises(DataError) as error:
        check_parameters(**bad)
    assert words in str(error.value)
    (name,) = bad
    if name not in OF_THE_FIT:
        skip, reason = set_problem(
            objective(**{"l2": 1.0} | bad), dict(X=X, y=Y)
        )
        assert skip and name in reason


@pytest.mark.parametrize("case", [
    *(("X", case) for case in BAD_DESIGNS),
    *(("y", case) for case in BAD_LABELS),
    *(("parameters", case) for case in BAD_PARAMETERS),
], ids=" ".join)
def test_fit_logistic_says_the_same(case):
    what, case = case
    # SIGNS and X are what the function solves without a look at them
    arguments = {"X": X, "y": SIGNS}
    if what == "X":
        arguments["X"], words = BAD_DESIGNS[case]
    elif what == "y":
        arguments["y"], words = BAD_LABELS[case]
    else:
        bad, words = BAD_PARAMETERS[case]
        arguments |= bad
    with pytest.raises(DataError) as error:
        fit.fit_logistic(**arguments)
    assert words in str(error.value)


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


def behind_the_end(values):
    """CSR whose arrays go on, with NaN and a stray index, after its end."""
    whole = sparse.csr_matrix(values)
    longer = whole.copy()
    longer.data = np.append(whole.data, np.nan)
    longer.indices = np.append(whole.indices, 10**6).astype(np.int32)
    return longer


def wide_indices(values):
    whole = sparse.csr_matrix(values)
    whole.indices = whole.indices.astype(np.int64)
    whole.indptr = whole.indptr.astype(np.int64)
    return whole


GOOD_DESIGNS = [
    np.asfortranarray, read_only, np.matrix, pd.DataFrame,
    lambda values: values.tolist(), lambda values: values.astype(object),
    lambda values: values[::-1][::-1], lambda values: values * 1e200,
    lambda values: values.astype(np.longdouble), sparse.csr_array,
    sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array, sparse.bsr_matrix,
    sparse.dia_matrix, sparse.lil_matrix, sparse.dok_matrix, wide_indices,
    behind_the_end, lambda values: np.vectorize(Fraction)(values),
]


@pytest.mark.parametrize("convert", GOOD_DESIGNS)
def test_good_designs(convert):
    got = check_design(convert(X))
    if sparse.issparse(got):
        assert got.format in ("csr", "csc")
        got.check_format(full_check=True)
        got = got.toarray()
    assert type(got) is np.ndarray and got.dtype == np.float64
    scale = 1e200 if np.abs(got).max() > 1e100 else 1.0
    np.testing.assert_allclose(got, scale * X, rtol=1e-15)


@pytest.mark.parametrize("dtype", [
    np.float32, np.float16, np.int8, np.uint64, bool,
])
def test_good_dtypes(dtype):
    given = np.abs(X * 3).astype(dtype)
    # SciPy has no sparse float16
    for convert in [np.asarray] + [sparse.csr_matrix] * (dtype != np.float16):
        got = check_design(convert(given))
        kept = np.float32 if dtype == np.float32 else np.float64
        assert got.dtype == kept
        got = got.toarray() if sparse.issparse(got) else got
        assert (got == given.astype(float)).all()


def test_what_needs_no_conversion_is_taken_as_it_is():
    assert check_design(X) is X
    assert check_labels(SIGNS, 8)[0] is SIGNS
    whole = sparse.csr_matrix(X)
    assert check_design(whole) is whole


@pytest.mark.parametrize("labels", [
    [0, 1], [-1, 1], [1, 2], [False, True], ["a", "b"], [b"a", b"b"],
    [-1e300, 1e300], [1, 1.0000000000000002], [Decimal(0), Decimal(1)],
    [np.datetime64("2020"), np.datetime64("2021")],
])
@pytest.mark.parametrize("convert", [
    np.asarray, list, lambda y: np.asarray(y)[:, None], pd.Series,
    lambda y: np.asarray(y)[::-1][::-1],
])
def test_good_labels(labels, convert):
    given = convert(np.array(labels)[Y])
    got, classes = check_labels(given, 8)
    assert got.dtype == np.float64 and got.flags.c_contiguous
    assert (got == SIGNS).all()
    assert len(classes) == 2
    again, _ = check_labels(given[:1], 1, classes, "y_test")
    assert again == SIGNS[:1]


@pytest.mark.parametrize("number", [
    1, np.float32(0.5), np.int64(3), np.float64(2), Fraction(1, 3),
])
def test_good_parameters(number):
    assert check_parameters(l2=number)[1] == float(number)
    _, l2, tol, max_iter, fit_intercept, *_ = check_parameters(
        l2=1, tol=0, max_iter=np.int32(0), fit_intercept=np.bool_(True)
    )
    assert (l2, tol, max_iter, fit_intercept) == (1.0, 0.0, 0, True)
    assert type(max_iter) is int and fit_intercept is True
    assert check_parameters() == (
        0.0, 1.0, 1e-8, 1000, False, True, True
    )


def test_starts():
    coef, intercept = check_start([1, 2, 3], np.float32(-2), 3)
    assert coef.dtype == np.float64 and intercept == -2.0
    for coef, intercept, words in (
        ([1, 2], 0.0, "coef_init has shape (2,)"),
        ([1, 2, np.nan], 0.0, "coef_init must be finite"),
        (["a"] * 3, 0.0, "coef_init must be finite"),
        ([1, 2, 3], np.inf, "intercept_init=inf must be finite"),
        ([1, 2, 3], None, "intercept_init=None is not a number"),
    ):
        with pytest.raises(DataError) as error:
            check_start(coef, intercept, 3)
        assert words in str(error.value)


def test_the_data_of_a_problem_are_checked_once(monkeypatch):
    import objective as module

    calls = []
    monkeypatch.setattr(
        module, "check_design", lambda *a: calls.append(a) or check_design(*a)
    )
    monkeypatch.setitem(
        type(objective(l2=1.0))._clean.__globals__, "check_design",
        module.check_design,
    )
    data = dict(X=X, y=Y, X_test=X, y_test=Y)
    problem = objective(l2=1.0)
    skip, reason = set_problem(problem, data)
    assert not skip, reason
    assert len(calls) == 2
    # other data than those of `skip` are checked
    with pytest.raises(DataError):
        problem.set_data(with_entry(np.nan), Y)
