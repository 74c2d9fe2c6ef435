"""Every solver, with every parameter, on everything it says it handles."""
import warnings
from functools import cache

import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.problem.certificate import certify
from benchmark_utils.wiring.benchopt_private import start_solver, warm_up
from harness import (
    all_solvers,
    attach,
    dataset,
    objective,
    run_to_the_end,
    set_problem,
)
from problems import LAYOUTS, TALL, WIDE

NAMES = [str(one) for one in all_solvers()]
PENALTIES = {
    "l2": dict(l1=0.0, l2=1.0),
    "l1": dict(l1=0.1, l2=0.0),
    "elasticnet": dict(l1=0.05, l2=0.5),
}
#: what stands in the place of the L1 norm
OTHERS = {
    "mcp": dict(l1=0.1, penalty="mcp"),
    "mcp and l2": dict(l1=0.1, l2=0.5, penalty="mcp"),
    "scad": dict(l1=0.1, penalty="scad"),
    "tv": dict(l1=0.1, l2=0.5, penalty="tv"),
    # not convex in single coordinates
    "bent": dict(l1=0.3, penalty="mcp", gamma=1.0),
}


def wide_indices(X):
    X = sparse.csr_matrix(X)
    X.indices = X.indices.astype(np.int64)
    X.indptr = X.indptr.astype(np.int64)
    return X


def twice(X):
    """Every entry as two halves."""
    X = sparse.csr_matrix(X)
    return sparse.csr_matrix(
        (np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), X.indptr * 2),
        shape=X.shape,
    )


def unsorted(X):
    X = sparse.csr_matrix(X)
    order = np.concatenate([
        np.arange(last, first, -1) - 1
        for first, last in zip(X.indptr[:-1], X.indptr[1:], strict=True)
    ])
    return sparse.csr_matrix(
        (X.data[order], X.indices[order], X.indptr), shape=X.shape
    )


def read_only(X):
    arrays = (X.data, X.indices, X.indptr) if sparse.issparse(X) else (X,)
    for array in arrays:
        array.flags.writeable = False
    return X


# How data from elsewhere can be stored: none of it is an error
STORED = {
    "csr_array": sparse.csr_array,
    "csc_array": sparse.csc_array,
    "64-bit indices": wide_indices,
    "entries twice": twice,
    "unsorted": unsorted,
    "read-only": lambda X: read_only(X.copy()),
    "read-only F": lambda X: read_only(X.copy(order="F")),
    "read-only csr": lambda X: read_only(sparse.csr_matrix(X)),
    "read-only csc": lambda X: read_only(sparse.csc_matrix(X)),
}
# What they can be
UNUSUAL = {
    "one feature": lambda X: X[:, :1],
    "one feature, csr": lambda X: sparse.csr_matrix(X[:, :1]),
    "constant feature": lambda X: np.hstack([X, np.ones((len(X), 1))]),
    "zero feature": lambda X: X * (np.arange(X.shape[1]) != 1),
    "zero feature, csc": lambda X: sparse.csc_matrix(
        X * (np.arange(X.shape[1]) != 1)
    ),
    "features twice": lambda X: np.hstack([X, X[:, :2]]),
    # rows of differences: sports, comparisons; their sums are zero
    "differences": lambda X: sparse.csr_matrix(
        np.eye(7)[np.arange(len(X)) % 7]
        - np.eye(7)[np.arange(len(X)) ** 2 % 6 - 7]
    ),
}


def solver(name):
    (found,) = [one for one in all_solvers() if str(one) == name]
    return found


def check(name, penalty, fit_intercept, X, y):
    """Reaches the certificate, or refuses with a reason.

    The run goes on to 1e-8 or for ten seconds, whichever is first; where a
    slow machine is not even at 1e-6 by then, once more for two minutes.
    """
    before = X.copy()
    problem = objective(**PENALTIES[penalty], fit_intercept=fit_intercept)
    for seconds in (10, 120):
        run = run_to_the_end(
            solver(name), problem, dict(X=X, y=y), timeout=seconds,
            target=1e-8,
        )
        if run.skipped or run.points[-1]["relative_gap"] <= 1e-6:
            break
    assert abs(X - before).max() == 0
    if run.skipped is not None:
        assert len(run.skipped) > 20
        assert run.skipped.endswith(".")
        return run
    gaps = [point["relative_gap"] for point in run.points]
    # the first point of every curve is w = 0
    assert run.points[0]["n_nonzeros"] == 0
    assert min(gaps) <= 1e-6
    # what it returns is what was certified
    point = certify(
        np.asarray(X.toarray() if sparse.issparse(X) else X, float),
        problem.y, run.coef, run.intercept, problem.lmbd1, problem.lmbd2,
        fit_intercept,
    )
    assert abs(point.relative_gap - gaps[-1]) <= 1e-8 + 0.01 * gaps[-1]
    return run


@cache
def check_tall(name, penalty, fit_intercept, layout):
    """The same run for several tests: some compile for seconds."""
    X, y = TALL
    return check(name, penalty, fit_intercept, LAYOUTS[layout](X), y)


@pytest.mark.parametrize("layout", ["C", "csr"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_reaches_the_certificate_or_says_why_not(
    name, penalty, fit_intercept, layout
):
    check_tall(name, penalty, fit_intercept, layout)


@cache
def check_other(name, penalty, fit_intercept, layout):
    """Reaches a gap or a violation of 1e-6, or says why not."""
    X, y = TALL
    before = LAYOUTS[layout](X)
    problem = objective(**OTHERS[penalty], fit_intercept=fit_intercept)
    run = run_to_the_end(
        solver(name), problem, dict(X=before.copy(), y=y), timeout=30,
        target=1e-8,
    )
    if run.skipped is not None:
        assert len(run.skipped) > 20 and run.skipped.endswith(".")
        return run
    assert run.points[0]["n_nonzeros"] == 0
    metric = "relative_gap" if penalty == "tv" else "relative_violation"
    assert min(point[metric] for point in run.points) <= 1e-6
    return run


@pytest.mark.parametrize("layout", ["C", "csr"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("penalty", OTHERS)
@pytest.mark.parametrize("name", NAMES)
def test_other_penalties(name, penalty, fit_intercept, layout):
    check_other(name, penalty, fit_intercept, layout)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("penalty", ["mcp", "scad", "tv"])
def test_other_penalties_have_one_solution(penalty, fit_intercept):
    """Of this problem: all who solve it find the same."""
    found = {}
    for name in NAMES:
        for layout in ("C", "csr"):
            run = check_other(name, penalty, fit_intercept, layout)
            if run.skipped is None:
                found[name, layout] = np.append(run.coef, run.intercept)
    assert len(found) > 5
    reference = next(iter(found.values()))
    for name, solution in found.items():
        np.testing.assert_allclose(
            solution, reference, atol=1e-4, err_msg=str(name)
        )


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_wide(name, penalty):
    check(name, penalty, False, *WIDE)


@pytest.mark.parametrize("layout, dtype", [
    ("F", np.float64), ("csc", np.float64),
    ("C", np.float32), ("csr", np.float32),
])
@pytest.mark.parametrize("name", NAMES)
def test_layouts_and_precisions(name, layout, dtype):
    X, y = TALL
    check(name, "l2", False, LAYOUTS[layout](X.astype(dtype)), y)


@pytest.mark.matrix(15)
@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("name", NAMES)
def test_stored_data(name, kind):
    X, y = TALL
    for penalty in ("l2", "l1"):
        if check(name, penalty, False, STORED[kind](X), y).skipped is None:
            break


@pytest.mark.matrix(15)
@pytest.mark.parametrize("penalty", ["l2", "elasticnet"])
@pytest.mark.parametrize("kind", UNUSUAL)
@pytest.mark.parametrize("name", NAMES)
def test_unusual_data(name, kind, penalty):
    X, y = TALL
    check(name, penalty, penalty == "l2", UNUSUAL[kind](X), y)


@pytest.mark.matrix(15)
@pytest.mark.parametrize("n_samples", [2, 25])
@pytest.mark.parametrize("layout, dtype", [
    ("csr", np.float32), ("csc", np.float64), ("F", np.float64),
])
@pytest.mark.parametrize("name", NAMES)
def test_wide_with_an_intercept(name, layout, dtype, n_samples):
    X, y = WIDE
    y = np.append(["yes", "no"], y[2:])[:n_samples]
    X = LAYOUTS[layout](X[:n_samples].astype(dtype))
    for penalty in PENALTIES:
        check(name, penalty, True, X, y)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_zero_is_the_solution(name, fit_intercept):
    """At lambda1_max; the intercept alone is to be found."""
    X, y = TALL
    run = run_to_the_end(
        solver(name), objective(l1=1.0, fit_intercept=fit_intercept),
        dict(X=X, y=y),
    )
    if run.skipped is None:
        assert run.points[-1]["relative_gap"] <= 1e-6
        np.testing.assert_allclose(run.coef, 0, atol=1e-3)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_strong_penalty(name, fit_intercept):
    """From a start that is almost optimal all still get to the end.

    SciPy's Newton-CG stops at 1e-8: its line search compares values of F.
    """
    X, y = TALL
    run = run_to_the_end(
        solver(name), objective(l2=1e5, fit_intercept=fit_intercept),
        dict(X=X, y=y),
    )
    if run.skipped is None:
        assert run.points[-1]["relative_gap"] <= 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_handles_dense_l2_or_l1(name):
    skipped = [
        check_tall(name, penalty, False, "C").skipped
        for penalty in ("l2", "l1")
    ]
    assert None in skipped or "finds no GPU" in skipped[0] or (
        "1.10 will" in skipped[1]
    )


@pytest.mark.parametrize("name", NAMES)
def test_two_runs_give_the_same(name):
    X, y = TALL
    runs = [
        run_to_the_end(
            solver(name), objective(l1=0.0, l2=1.0), dict(X=X, y=y),
            max_runs=4,
        )
        for _ in range(2)
    ]
    if runs[0].skipped is None:
        np.testing.assert_allclose(
            runs[0].coef, runs[1].coef, rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("name", NAMES)
def test_unknown_choices_are_refused(name):
    one = solver(name)
    for parameter in one.choices:
        bad = solver(name)
        setattr(bad, parameter, "nonsense")
        X, y = TALL
        run = run_to_the_end(bad, objective(l2=1.0), dict(X=X, y=y))
        assert f"unknown {parameter}=nonsense: choose among" in run.skipped


@pytest.mark.parametrize("penalty, precise", [
    ("l2", "raw-newton"),
    ("l1", "scipy[method=L-BFGS-B]"),
    ("elasticnet", "scipy[method=L-BFGS-B]"),
])
def test_all_agree_with_one_optimum(penalty, precise):
    solutions = {}
    for name in NAMES:
        run = check_tall(name, penalty, True, "C")
        if run.skipped is None:
            solutions[name] = np.append(run.coef, run.intercept)
    assert len(solutions) > 5
    reference = solutions[precise]
    for name, solution in solutions.items():
        np.testing.assert_allclose(
            solution, reference, atol=2e-3, err_msg=name
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_terminal_is_not_flooded(name, capfd):
    """No warning and no line of a library, also beyond float64's accuracy."""
    one = solver(name)
    l1, l2 = (0.0, 1e-3) if "l2" in one.penalties else (0.1, 0.0)
    problem = objective(l1=l1, l2=l2)
    data = dataset("simulated", n_samples=30, n_features=3)
    set_problem(problem, data)
    attach(problem, data, one)
    skip, reason = start_solver(one, problem)
    if skip:
        assert "no GPU" in reason or "1.10 will" in reason
        return
    warm_up(one)
    capfd.readouterr()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if one.sampling_strategy == "callback":
            one.run(lambda: one.intercept is None)
        else:
            one.run(1e-14 if one.sampling_strategy == "tolerance" else 500)
    assert not [
        str(one.message) for one in caught
        if issubclass(one.category, (UserWarning, RuntimeWarning))
    ]
    assert capfd.readouterr() == ("", "")
