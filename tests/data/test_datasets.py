"""The datasets hold what their docstrings say."""
import numpy as np
import pytest
from scipy import sparse

from harness import DATASETS, dataset


def test_simulated_is_the_same_twice():
    first, second = (
        dataset("simulated", n_samples=20, n_features=3).get_data()
        for _ in range(2)
    )
    for key in first:
        assert (first[key] == second[key]).all()


def correlated(**parameters):
    return dataset("correlated", **parameters).get_data()


def test_correlated_shapes_and_held_out_samples():
    data = correlated(n_samples=400, n_features=7)
    assert data["X"].shape == (400, 7)
    assert data["X_test"].shape == (100, 7)
    assert data["y"].shape == (400,)
    assert data["y_test"].shape == (100,)
    assert data["coef_true"].shape == (7,)
    again = correlated(n_samples=400, n_features=7)
    assert (data["X"] == again["X"]).all()


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, -0.6])
def test_correlated_features(rho):
    X = correlated(n_samples=20000, n_features=5, rho=rho)["X"]
    powers = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    np.testing.assert_allclose(
        np.corrcoef(X.T), np.power(rho, powers), atol=0.03
    )
    np.testing.assert_allclose(X.std(axis=0), 1.0, atol=0.03)


@pytest.mark.parametrize("balance", [0.5, 0.1, 0.01])
def test_correlated_balance(balance):
    y = correlated(n_samples=20000, n_features=5, balance=balance)["y"]
    assert (y > 0).mean() == pytest.approx(balance, abs=0.01, rel=0.2)


def test_correlated_scale_and_density():
    X = correlated(n_samples=2000, n_features=300, scale=3.0)["X"]
    decades = np.log10(X.std(axis=0))
    assert -3.1 < decades.min() < -2.7
    assert 2.7 < decades.max() < 3.1
    X = correlated(n_samples=2000, n_features=50, density=0.1)["X"]
    assert sparse.issparse(X)
    assert X.format == "csr"
    assert X.nnz / (2000 * 50) == pytest.approx(0.1, rel=0.05)


def test_correlated_labels_follow_the_model():
    data = correlated(n_samples=50000, n_features=5, signal=2.0)
    scores = data["X"] @ data["coef_true"]
    assert scores.std() == pytest.approx(2.0, rel=0.05)
    probability = 1 / (1 + np.exp(-scores))
    for low in np.arange(0.1, 0.9, 0.2):
        near = (probability > low) & (probability < low + 0.2)
        assert (data["y"][near] > 0).mean() == pytest.approx(
            probability[near].mean(), abs=0.03
        )


@pytest.mark.parametrize("parameters, reason", [
    (dict(n_samples=1, n_features=3), "n_samples=1 must be at least 2"),
    (dict(n_samples=9, n_features=0), "n_features=0 must be at least 1"),
    (dict(rho=1.0), "rho=1.0 must be between"),
    (dict(scale=-1.0), "scale=-1.0 must be not negative"),
    (dict(balance=0.0), "balance=0.0 must be between"),
    (dict(density=1.5), "density=1.5 must be above 0"),
])
def test_correlated_parameters(parameters, reason):
    with pytest.raises(ValueError, match=reason):
        correlated(**{"n_samples": 9, "n_features": 3, **parameters})


@pytest.mark.parametrize("name, shape, positives", [
    ("breast_cancer", (569, 30), 0.627), ("digits", (1797, 64), 0.504),
])
def test_scikit_learn_data(name, shape, positives):
    raw, scaled = (
        dataset(name, scaling=scaling, test_share=0.0).get_data()
        for scaling in ("raw", "standardized")
    )
    assert raw["X"].shape == scaled["X"].shape == shape
    assert raw["y"].mean() == pytest.approx(positives, abs=0.001)
    np.testing.assert_allclose(scaled["X"].mean(axis=0), 0, atol=1e-10)
    spread = scaled["X"].std(axis=0)
    constant = raw["X"].std(axis=0) == 0
    np.testing.assert_allclose(spread[~constant], 1)
    assert (spread[constant] == 0).all()
    with pytest.raises(ValueError, match="choose among raw, standard"):
        dataset(name, scaling="logarithmic").get_data()


def test_condition_numbers_of_the_docstring():
    raw, scaled = (
        np.linalg.cond(
            dataset("breast_cancer", scaling=scaling, test_share=0.0)
            .get_data()["X"]
        )
        for scaling in ("raw", "standardized")
    )
    assert raw == pytest.approx(1.5e6, rel=0.1)
    assert scaled == pytest.approx(3e2, rel=0.7)
    for name in ("1.5e6", "3e2"):
        assert name in DATASETS["breast_cancer"].__doc__
