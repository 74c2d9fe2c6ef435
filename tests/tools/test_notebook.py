"""The numbers that the notebook printed, out of this benchmark's own classes.

Its lam is l2 / 2 here: it has no factor 1/2.
"""
import numpy as np
import pytest

from harness import dataset, objective, run_to_the_end, solver

NEWTONS = ["raw-newton", "loop-fused-newton"]
ALL_THREE = [*NEWTONS, "scipy[method=Newton-CG]"]
SOLUTIONS = {
    (10, 2, 0.1): [-2.86478563, 0.74649916],
    (200, 10, 0.01): [
        -2.11985398, -1.95074541, -0.06884512, -0.94531301, -0.06184398,
        -0.83223477, -0.90754435, -0.48258231, 1.00053492, 0.84389168,
    ],
}


def simulated(n_samples, n_features):
    return dataset(
        "simulated", n_samples=n_samples, n_features=n_features
    )


def test_data():
    data = simulated(10, 2).get_data()
    np.testing.assert_allclose(
        data["X"][0], [1.76405235, 0.40015721], atol=5e-9
    )
    np.testing.assert_allclose(
        data["coef_true"], [-2.55298982, 0.6536186], atol=5e-9
    )
    assert data["y"].tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("name", ALL_THREE)
@pytest.mark.parametrize("problem", SOLUTIONS)
def test_solutions(name, problem):
    n_samples, n_features, lam = problem
    run = run_to_the_end(
        solver(name), objective(l2=2 * lam),
        simulated(n_samples, n_features), n_iter=100,
    )
    np.testing.assert_allclose(run.coef, SOLUTIONS[problem], atol=6e-9)
    assert run.points[-1]["relative_gap"] < 1e-9


@pytest.mark.parametrize("name, printed, digits", [
    ("raw-newton", 0.12124283497888, 1e-13),
    ("loop-fused-newton", 0.12124283497888, 1e-13),
    ("scipy[method=Newton-CG]", 0.12124282326, 1e-10),
])
def test_distance_to_the_true_coefficients(name, printed, digits):
    run = run_to_the_end(
        solver(name), objective(l2=0.002), simulated(2000, 100), n_iter=100
    )
    assert abs(run.points[-1]["coef_error"] - printed) < digits
    assert run.points[-1]["relative_gap"] < 1e-9
