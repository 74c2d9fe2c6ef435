"""Bad data skip a problem with a reason; bad results name the solver."""
import numpy as np
import pandas as pd
import pytest
from benchopt import BaseDataset
from scipy import sparse

from benchmark_utils.fenchel.validation import DataError
from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.wiring.base_solver import LogisticSolver
from harness import (
    Data,
    attach,
    objective,
    run_to_the_end,
    set_problem,
    solver,
)

X = np.arange(12.0).reshape(6, 2) % 5
Y = np.array([0, 1, 0, 1, 1, 0])


def with_entry(value):
    bad = X.copy()
    bad[2, 1] = value
    return bad


BAD_DATA = {
    "three classes": (dict(X=X, y=[0, 1, 2, 0, 1, 2]), "3 classes, not two"),
    "one class": (dict(X=X, y=np.ones(6)), "the single class 1.0:"),
    "NaN": (dict(X=with_entry(np.nan), y=Y), "NaN or infinity: impute"),
    "infinity": (dict(X=with_entry(-np.inf), y=Y), "NaN or infinity"),
    "sparse NaN": (
        dict(X=sparse.csr_matrix(with_entry(np.nan)), y=Y), "NaN or infinity"
    ),
    "float32 infinity": (
        dict(X=with_entry(np.inf).astype(np.float32), y=Y), "NaN or infinity"
    ),
    "length": (dict(X=X, y=Y[:5]), "5 labels for 6 samples"),
    "no features": (dict(X=np.empty((6, 0)), y=Y), "at least one"),
    "no samples": (dict(X=np.empty((0, 2)), y=[]), "at least one"),
    "one dimension": (dict(X=X[:, 0], y=Y), "1 dimension"),
    "words": (
        dict(X=np.array([["a", "b"]] * 6), y=Y), "not numbers"
    ),
    "complex": (dict(X=X + 0j, y=Y), "complex"),
    "NaN label": (
        dict(X=X, y=[0, 1, np.nan, 1, 0, 1]), "y contains NaN"
    ),
    "missing label": (
        dict(X=X, y=np.array([0, 1, None, 1, 0, 1], dtype=object)),
        "missing labels",
    ),
    "mixed labels": (
        dict(X=X, y=np.array([0, "a", 0, "a", 0, "a"], dtype=object)),
        "several types",
    ),
    "two columns of labels": (dict(X=X, y=np.ones((6, 2))), "one label"),
    "X_test alone": (dict(X=X, y=Y, X_test=X), "together"),
    "X_test": (
        dict(X=X, y=Y, X_test=X[:, :1], y_test=Y), "X_test has 1 features"
    ),
    "y_test": (
        dict(X=X, y=Y, X_test=X, y_test=Y + 1), "the training labels are"
    ),
    "coef_true": (dict(X=X, y=Y, coef_true=[1.0]), "coef_true has shape"),
    "ragged": (dict(X=[[1], [1, 2]] * 3, y=Y), "X is no array"),
    "ragged labels": (dict(X=X, y=[[1], [1, 2]] * 3), "y is no array"),
    "nothing": (dict(X=None, y=Y), "0 dimension"),
    "sparse labels": (dict(X=X, y=sparse.csr_matrix(Y[:, None])), "one label"),
    "masked": (
        dict(X=np.ma.masked_array(X, mask=X > 3), y=Y), "masked entries"
    ),
    "masked labels": (
        dict(X=X, y=np.ma.masked_array(Y, mask=Y * [1, 1, 0, 0, 0, 0])),
        "masked entries",
    ),
    "dates": (dict(X=X.astype("datetime64[D]"), y=Y), "dates"),
    "large integers": (
        dict(X=np.array([[10**400, 1]] * 6), y=Y), "not numbers"
    ),
    "pandas.NA": (
        dict(X=X, y=pd.array(["a", None, "b", "a", "b", "a"], "string")),
        "missing labels",
    ),
    "NaT": (
        dict(X=X, y=np.array(["2020", "2021", "NaT"] * 2, "datetime64[Y]")),
        "missing labels",
    ),
    "NaN in CSC": (
        dict(X=sparse.csc_matrix(with_entry(np.nan)), y=Y), "NaN or infinity"
    ),
    "complex sparse": (dict(X=sparse.csr_matrix(X + 0j), y=Y), "complex"),
    "NaN in X_test": (
        dict(X=X, y=Y, X_test=with_entry(np.nan), y_test=Y),
        "X_test contains NaN",
    ),
    "length of y_test": (
        dict(X=X, y=Y, X_test=X, y_test=Y[:5]), "5 labels for 6 samples"
    ),
    "NaN in coef_true": (
        dict(X=X, y=Y, coef_true=[1.0, np.nan]), "coef_true must be finite"
    ),
    "words in coef_true": (
        dict(X=X, y=Y, coef_true=["a", "b"]), "coef_true must be finite"
    ),
    "ragged coef_true": (
        dict(X=X, y=Y, coef_true=[[1], [1, 2]]), "coef_true is no array"
    ),
    "no y": (dict(X=X), "must return X and y"),
    "unknown": (dict(X=X, y=Y, weights=1), "must return X and y"),
}
BAD_PENALTIES = {
    "no penalty": (dict(l1=0, l2=0), "no penalty at all"),
    "negative": (dict(l2=-1.0), "not negative"),
    "infinite": (dict(l2=np.inf), "finite"),
    "NaN": (dict(l2=np.nan), "finite"),
    "negative l1": (dict(l1=-0.1, l2=1.0), "l1=-0.1 must be"),
    "word": (dict(l2="strong"), "not a number"),
    "boolean": (dict(l1=0.0, l2=True), "not a number"),
    "nothing": (dict(l1=None, l2=1.0), "not a number"),
    "l1 above one": (dict(l1=1.5), "between 0 and 1"),
    "intercept": (dict(l2=1.0, fit_intercept="yes"), "not a boolean"),
    "intercept 1": (dict(l2=1.0, fit_intercept=1), "not a boolean"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_are_skipped_with_a_reason(case):
    data, reason = BAD_DATA[case]
    skip, said = set_problem(objective(l2=1.0), data)
    assert skip
    assert reason in said


@pytest.mark.parametrize("case", BAD_PENALTIES)
def test_bad_penalties_are_skipped_with_a_reason(case):
    parameters, reason = BAD_PENALTIES[case]
    skip, said = set_problem(objective(**parameters), dict(X=X, y=Y))
    assert skip
    assert reason in said


def test_l1_alone_needs_a_correlated_feature():
    skip, said = set_problem(
        objective(l1=0.5), dict(X=np.zeros((6, 2)), y=Y)
    )
    assert skip
    assert "lambda1_max is zero" in said


@pytest.mark.parametrize("labels", [
    [0, 1], [1, 2], [-1, 1], [False, True], ["ham", "spam"], [3.5, 7.25],
])
def test_labels_are_mapped(labels):
    problem = objective(l2=1.0)
    y = np.array(labels)[Y]
    skip, reason = set_problem(
        problem, dict(X=X, y=y, X_test=X[:2], y_test=y[:2])
    )
    assert not skip, reason
    given = problem.get_objective()
    assert given["y"].tolist() == np.where(Y == 1, 1.0, -1.0).tolist()
    assert given["y"].dtype == np.float64
    assert problem.y_test.tolist() == given["y"][:2].tolist()


@pytest.mark.parametrize("convert", [
    np.asfortranarray, sparse.csr_matrix, sparse.csc_matrix,
    sparse.coo_matrix, sparse.csr_array, pd.DataFrame,
    lambda X: X.tolist(), lambda X: X.astype(int), lambda X: X > 2,
    lambda X: X.astype(np.float32), lambda X: X.astype(np.float16),
    lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    lambda X: np.asfortranarray(X)[::1, ::-1],
])
def test_design_of_any_kind(convert):
    data = convert(X)
    problem = objective(l1=0.1, l2=1.0, fit_intercept=True)
    skip, reason = set_problem(problem, dict(X=data, y=Y))
    assert not skip, reason
    used = problem.get_objective()["X"]
    assert used.dtype in (np.float32, np.float64)
    if sparse.issparse(used):
        assert used.format in ("csr", "csc")
    else:
        assert used.flags.c_contiguous or used.flags.f_contiguous
    attach(problem, "data", "tester")
    (metrics,) = problem(dict(coef=np.array([0.5, -1.0]), intercept=0.25))
    plain = objective(l1=0.1, l2=1.0, fit_intercept=True)
    exact = sparse.coo_matrix(data) if sparse.issparse(data) else data
    exact = exact.toarray() if sparse.issparse(exact) else np.array(exact)
    set_problem(plain, dict(X=exact.astype(float), y=Y))
    (expected,) = plain(dict(coef=np.array([0.5, -1.0]), intercept=0.25))
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, rel=1e-9), name


def test_metrics():
    problem = objective(l2=2.0, fit_intercept=True)
    set_problem(problem, dict(
        X=X, y=Y, X_test=X[:3], y_test=Y[:3], coef_true=[1.0, 1.0]
    ))
    attach(problem, "data", "tester")
    w, b = np.array([0.5, 0.0]), -0.5
    (metrics,) = problem(dict(coef=w, intercept=b))
    signs = np.where(Y == 1, 1, -1)
    margins = signs * (X @ w + b)
    losses = np.log1p(np.exp(-margins))
    value = losses.sum() + w @ w
    expected = {
        "objective_value": value / 6,
        "objective_n_nonzeros": 1,
        "objective_coef_error": 0.625,
        "objective_test_log_loss": losses[:3].mean(),
        "objective_test_accuracy": (margins[:3] > 0).mean(),
        "objective_relative_gap": 1 - (
            metrics["objective_lower_bound"] / metrics["objective_value"]
        ),
    }
    for name, number in expected.items():
        assert metrics[name] == pytest.approx(number), name
    residual = -signs / (1 + np.exp(margins))
    kkt = max(np.abs(X.T @ residual + 2 * w).max(), abs(residual.sum()))
    assert metrics["objective_kkt"] == pytest.approx(kkt / 6)


BAD_RESULTS = {
    "NaN": (dict(coef=[np.nan, 1.0]), "1 of 2 coefficients are NaN"),
    "infinity": (dict(coef=[np.inf, 1.0]), "NaN or infinite"),
    "length": (dict(coef=np.zeros(3)), "expected (2,)"),
    "dimensions": (dict(coef=np.zeros((1, 2))), "expected (2,)"),
    "None": (dict(coef=None), "NoneType"),
    "ragged": (dict(coef=[[1], [1, 2]]), "coef is no array"),
    "words": (dict(coef=["a", "b"]), "expected real numbers"),
    "complex": (dict(coef=np.zeros(2, complex)), "expected real numbers"),
    "booleans": (dict(coef=np.zeros(2, bool)), "expected real numbers"),
    "sparse": (dict(coef=sparse.csr_matrix([[1.0, 2.0]])), "sparse"),
    "keys": (dict(beta=np.zeros(2)), "must return coef"),
    "more keys": (dict(coef=np.zeros(2), alpha=1), "must return coef"),
    "intercept": (dict(coef=np.zeros(2), intercept=np.nan), "intercept is"),
    "intercepts": (
        dict(coef=np.zeros(2), intercept=np.zeros(2)), "expected one number"
    ),
    "no intercept": (
        dict(coef=np.zeros(2), intercept=1.0), "a problem without one"
    ),
}


@pytest.mark.parametrize("case", BAD_RESULTS)
def test_bad_results_name_the_solver(case):
    result, complaint = BAD_RESULTS[case]
    problem = objective(l2=1.0)
    set_problem(problem, dict(X=X, y=Y))
    attach(problem, "data", "liar[x=1]")
    with pytest.raises(ValueError) as error:
        problem(result)
    assert "liar[x=1]: " in str(error.value)
    assert complaint in str(error.value)


def test_overflow_is_an_error_too():
    problem = objective(l2=1.0)
    set_problem(problem, dict(X=X, y=Y))
    attach(problem, "data", "liar")
    with pytest.raises(ValueError, match="liar: F overflows"):
        problem(dict(coef=np.full(2, 1e200)))


def test_a_failing_dataset_is_a_reason_not_an_end(monkeypatch):
    class Broken(BaseDataset):
        name = "broken"
        loads = 0

        def get_data(self):
            self.loads += 1
            raise OSError("no network: run `benchopt prepare .` first")

    dataset = Broken.get_instance()
    for _ in range(2):
        skip, reason = objective(l2=1.0).load(dataset)
        assert skip
        assert reason == (
            "broken could not be loaded: OSError: no network: run "
            "`benchopt prepare .` first"
        )
    # it is not tried again for every solver and objective
    assert dataset.loads == 1
    monkeypatch.setenv("BENCHOPT_RAISE_ON_ERROR", "1")
    with pytest.raises(OSError):
        objective(l2=1.0).load(Broken.get_instance())


@pytest.mark.parametrize("sparse_data", [False, True])
def test_inputs_are_not_changed(sparse_data):
    data = sparse.csr_matrix(X) if sparse_data else X.copy()
    y = Y.copy()
    problem = objective(l1=0.1, fit_intercept=True)
    set_problem(problem, dict(X=data, y=y))
    problem.get_objective()["y"][:] = 5.0
    attach(problem, "data", "tester")
    coef = np.array([1.0, -1.0])
    problem(dict(coef=coef))
    assert (problem.y**2 == 1).all()
    assert coef.tolist() == [1.0, -1.0]
    assert (y == Y).all()
    dense = data.toarray() if sparse_data else data
    assert (dense == X).all()


class Fresh(Data):
    """A dataset that makes its arrays anew, as one from a file does."""

    def get_data(self):
        return {name: value.copy() for name, value in self.data.items()}


def dataset_of(cls, **data):
    made = cls.get_instance()
    made.data = data
    return made


CULPRITS = {
    "scaled": lambda X: np.multiply(X, 1e-3, out=X),
    "zero": lambda X: X.fill(0.0),
    "one entry": lambda X: X.__setitem__((1, 1), np.nextafter(X[1, 1], 9.0)),
    "rows turned": lambda X: X.__setitem__(slice(None), X[::-1].copy()),
}
SPARSE_CULPRITS = {
    "scaled": lambda X: np.multiply(X.data, 1e-3, out=X.data),
    "entries dropped": lambda X: X.__setattr__("data", X.data * (X.data > 2))
    or X.eliminate_zeros(),
    "index": lambda X: X.indices.__setitem__(0, 1 - X.indices[0]),
}


@pytest.mark.parametrize("convert, culprit", [
    *((np.ascontiguousarray, culprit) for culprit in CULPRITS),
    *((np.asfortranarray, culprit) for culprit in CULPRITS),
    *((sparse.csr_matrix, culprit) for culprit in SPARSE_CULPRITS),
])
def test_a_change_of_the_data_is_found_and_undone(convert, culprit):
    change = (
        SPARSE_CULPRITS if convert is sparse.csr_matrix else CULPRITS
    )[culprit]
    problem = objective(l2=1.0)
    set_problem(problem, dataset_of(Fresh, X=convert(X), y=Y))
    result = dict(coef=np.array([0.5, -1.0]))
    attach(problem, "data", "honest")
    (right,) = problem(dict(result))
    given = problem.get_objective()["X"]
    attach(problem, "data", "culprit[x=1]")
    change(given)
    with pytest.raises(ValueError, match=r"culprit\[x=1\]: it has changed X"):
        problem(dict(result))
    # the next solver has the data as they were
    attach(problem, "data", "honest")
    given = problem.get_objective()["X"]
    given = given.toarray() if sparse.issparse(given) else given
    assert (given == X).all()
    assert problem(dict(result)) == [right]
    # also where the last one changed them after its last point
    change(problem.get_objective()["X"])
    given = problem.get_objective()["X"]
    given = given.toarray() if sparse.issparse(given) else given
    assert (given == X).all()


def test_data_that_cannot_be_restored_are_used_no_more():
    problem = objective(l2=1.0)
    # it gives the same array again
    set_problem(problem, dataset_of(Data, X=X.copy(), y=Y))
    attach(problem, "data", "culprit")
    problem.get_objective()["X"][:] = 0.0
    for _ in range(2):
        with pytest.raises(DataError, match="no more solvers are run on it"):
            problem(dict(coef=np.zeros(2)))
    with pytest.raises(DataError, match="no more solvers are run on it"):
        problem.get_objective()


def test_a_change_in_a_batch_is_found():
    problem = objective(l2=1.0)
    designs = [X, X + 1.0]

    class Batch(Data):
        def get_data(self):
            return dict(
                X=ManyProblems([one.copy() for one in designs]),
                y=np.concatenate([Y, Y]),
            )

    skip, reason = set_problem(problem, dataset_of(Batch))
    assert not skip, reason
    attach(problem, "data", "culprit")
    problem.get_objective()["X"].designs[1][2, 1] = 7.0
    with pytest.raises(ValueError, match="culprit: it has changed X"):
        problem(dict(coef=np.zeros(4)))
    for got, right in zip(problem.X.designs, designs, strict=True):
        assert (got == right).all()


class Culprit(LogisticSolver):
    """Write into the data that all solvers share, before it solves."""

    name = "culprit"
    sampling_strategy = "iteration"

    def prepare(self):
        self.X *= 1e-3

    def solve(self, stop_val):
        self.coef = np.zeros(self.X.shape[1])


def test_a_culprit_is_refused_and_the_next_solver_is_right():
    data = dataset_of(Fresh, X=X.copy(), y=Y)
    problem = objective(l2=1.0)
    with pytest.raises(ValueError, match="it has changed X in place"):
        run_to_the_end(Culprit.get_instance(), problem, data)
    alone = run_to_the_end(
        solver("scipy[method=L-BFGS-B]"), objective(l2=1.0),
        dict(X=X, y=Y),
    )
    after = run_to_the_end(solver("scipy[method=L-BFGS-B]"), problem, data)
    # a measurement, of pages of memory
    for run in (alone, after):
        run.points[-1].pop("peak_memory", None)
    assert after.points[-1] == alone.points[-1]
