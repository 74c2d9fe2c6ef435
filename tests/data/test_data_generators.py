"""The generated problems are what they are called, and can be grown."""
import numpy as np
import pytest
from scipy.optimize import linprog

from benchmark_utils.data.generators import SHAPES, draw_labels, power_law_rows
from harness import dataset, objective, run_to_the_end, set_problem, solver


def power_law(**parameters):
    return dataset("power_law", **parameters).get_data()


def test_power_law_shapes():
    data = power_law(n_samples=400, n_features=900)
    assert data["X"].shape == (400, 900)
    assert data["X_test"].shape == (100, 900)
    assert data["coef_true"].shape == (900,)
    assert data["X"].format == "csr"
    assert data["X"].has_sorted_indices
    assert set(data["y"]) == {-1, 1}
    again = power_law(n_samples=400, n_features=900)
    assert abs(data["X"] - again["X"]).max() == 0
    assert (data["y"] == again["y"]).all()


def test_power_law_rows_have_norm_one_and_about_as_many_words():
    data = power_law(n_samples=3000, n_features=50000, words=40.0)
    X = data["X"]
    np.testing.assert_allclose(np.sqrt(X.power(2).sum(axis=1)), 1)
    # some words come twice
    assert 25 < X.nnz / 3000 < 40
    assert (X.data > 0).all()


def test_power_law_frequencies_follow_the_power():
    X = power_law_rows(np.random.default_rng(0), 20000, 2000, 5.0, 1.5)
    frequency = np.sort(X.getnnz(axis=0))[::-1][20:200]
    slope = np.polyfit(np.log(np.arange(20, 200)), np.log(frequency), 1)[0]
    assert slope == pytest.approx(-1.5, abs=0.15)
    # and the frequent words are anywhere
    assert X.getnnz(axis=0)[:20].max() < frequency.max() * 20


def test_power_law_labels_follow_the_model():
    data = power_law(n_samples=40000, n_features=300, signal=2.0)
    scores = data["X"] @ data["coef_true"]
    assert scores.std() == pytest.approx(2.0, rel=0.05)
    probability = 1 / (1 + np.exp(-scores))
    for low in np.arange(0.1, 0.9, 0.2):
        near = (probability > low) & (probability < low + 0.2)
        assert (data["y"][near] > 0).mean() == pytest.approx(
            probability[near].mean(), abs=0.04
        )


@pytest.mark.parametrize("parameters, reason", [
    (dict(n_samples=1), "n_samples=1 must be at least 2"),
    (dict(words=0.5), "words=0.5 must be at least 1"),
    (dict(exponent=0.0), "exponent=0.0 must be"),
    (dict(signal=-1.0), "signal=-1.0 must be"),
])
def test_power_law_parameters(parameters, reason):
    with pytest.raises(ValueError, match=reason):
        power_law(**{"n_samples": 9, "n_features": 9, **parameters})


@pytest.mark.parametrize("sign", [-1, 1])
def test_labels_are_of_both_kinds(sign):
    scores = sign * np.array([50.0, 60.0, 70.0])
    y = draw_labels(np.random.default_rng(0), scores)
    assert sorted(y) == sorted([sign, sign, -sign])


def adversarial(case, grow=1):
    data = dataset("adversarial", case=case, grow=grow).get_data()
    return data["X"], data["y"]


def is_separable(X, y):
    """Whether some w has y_i x_i' w >= 1 for all samples."""
    n_features = X.shape[1]
    found = linprog(
        np.zeros(n_features), A_ub=-y[:, None] * X, b_ub=-np.ones(len(y)),
        bounds=[(None, None)] * n_features,
    )
    return found.status == 0


@pytest.mark.parametrize("grow", [1, 3])
@pytest.mark.parametrize("case", SHAPES)
def test_adversarial_problems(case, grow):
    X, y = adversarial(case, grow)
    n_samples, n_features = X.shape
    assert n_samples * n_features <= 20000 * grow**2
    assert set(y) == {-1, 1}
    assert np.isfinite(X).all()
    if case == "duplicates":
        half = n_features // 2
        assert (X[:, :half] == X[:, half:]).all()
    elif case == "constants":
        constant = X[:, (X == X[0]).all(axis=0)]
        assert set(constant[0]) == {0.1, 1.0, 1e3}
        assert constant.shape[1] == 6 * grow
    elif case == "zeros":
        assert (~X.any(axis=0)).sum() == 7 * grow
    elif case == "unscaled":
        spread = X.std(axis=0)
        assert 1e-7 < spread.min() < 2e-6
        assert 5e5 < spread.max() < 2e6
    elif case == "separable":
        assert is_separable(X, y)
    elif case == "nearly_separable":
        assert not is_separable(X, y)
        # without one sample it is
        assert any(
            is_separable(np.delete(X, i, axis=0), np.delete(y, i))
            for i in np.flatnonzero(y < 0)
        )
    elif case == "imbalanced":
        assert (y > 0).mean() == pytest.approx(0.01)
    elif case == "wide":
        assert n_features == 50 * n_samples * grow
    elif case == "tall":
        assert n_samples == 1000 * n_features * grow
    elif case == "one_feature":
        assert (n_samples, n_features) == (100 * grow, 1)
    else:
        assert case == "one_per_class"
        assert sorted(y) == [-1, 1]


@pytest.mark.parametrize("case", SHAPES)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_adversarial_problems_can_be_solved(case, fit_intercept):
    # a tiny l2 only where it does not cost thousands of iterations
    l2 = 1e-6 if case in ("separable", "one_feature") else 1.0
    X, y = adversarial(case)
    problem = objective(l2=l2, fit_intercept=fit_intercept)
    run = run_to_the_end(solver("raw-newton"), problem, dict(X=X, y=y))
    # `raw-newton` takes full steps, which need not converge: it is then
    # the certificate that says so
    gap = run.points[-1]["relative_gap"]
    if not gap < 1e-6:
        run = run_to_the_end(
            solver("scipy[method=trust-exact]"), problem, dict(X=X, y=y)
        )
        gap = run.points[-1]["relative_gap"]
    assert gap < 1e-6


@pytest.mark.parametrize("parameters, reason", [
    (dict(case="easy"), "choose among duplicates, constants"),
    (dict(case="wide", grow=0), "whole number"),
    (dict(case="wide", grow=1.5), "whole number"),
])
def test_adversarial_parameters(parameters, reason):
    one = dataset("adversarial", **parameters)
    skip, said = set_problem(objective(l2=1.0), one)
    assert skip
    assert reason in said
