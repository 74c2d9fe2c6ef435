"""Every solver, with every parameter, on everything it says it handles."""
import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.certificate import certify
from harness import all_solvers, objective, run_to_the_end

NAMES = [str(one) for one in all_solvers()]
PENALTIES = {
    "l2": dict(l1=0.0, l2=1.0),
    "l1": dict(l1=0.1, l2=0.0),
    "elasticnet": dict(l1=0.05, l2=0.5),
}
LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_matrix,
}


def make(n_samples, n_features, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    X *= rng.random(X.shape) < 0.7
    scores = X @ rng.standard_normal(n_features) - 0.5
    y = rng.random(n_samples) < 1 / (1 + np.exp(-scores))
    return X, np.where(y, "yes", "no")


TALL = make(60, 8)
WIDE = make(25, 40)


def solver(name):
    (found,) = [one for one in all_solvers() if str(one) == name]
    return found


def check(name, penalty, fit_intercept, X, y):
    """Reaches the certificate, or refuses with a reason."""
    before = X.copy()
    problem = objective(**PENALTIES[penalty], fit_intercept=fit_intercept)
    run = run_to_the_end(solver(name), problem, dict(X=X, y=y))
    assert abs(X - before).max() == 0
    if run.skipped is not None:
        assert len(run.skipped) > 20
        assert run.skipped.endswith(".")
        return False
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
    assert abs(point.relative_gap - gaps[-1]) <= 1e-9 + 0.01 * gaps[-1]
    return True


@pytest.mark.parametrize("layout", ["C", "csr"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_reaches_the_certificate_or_says_why_not(
    name, penalty, fit_intercept, layout
):
    X, y = TALL
    check(name, penalty, fit_intercept, LAYOUTS[layout](X), y)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_wide(name, penalty):
    check(name, penalty, False, *WIDE)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", NAMES)
def test_layouts_and_precisions(name, layout, dtype):
    X, y = TALL
    check(name, "l2", False, LAYOUTS[layout](X.astype(dtype)), y)


@pytest.mark.parametrize("name", NAMES)
def test_handles_dense_l2_or_l1(name):
    X, y = TALL
    assert any(check(name, penalty, False, X, y) for penalty in ("l2", "l1"))


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


def test_all_agree_with_one_optimum():
    X, y = TALL
    solutions = {}
    for name in NAMES:
        run = run_to_the_end(
            solver(name), objective(l2=1.0, fit_intercept=True),
            dict(X=X, y=y),
        )
        if run.skipped is None:
            solutions[name] = np.append(run.coef, run.intercept)
    reference = solutions["raw-newton"]
    for name, solution in solutions.items():
        np.testing.assert_allclose(
            solution, reference, atol=2e-3, err_msg=name
        )
