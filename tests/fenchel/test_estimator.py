"""LogisticRegression is an estimator of scikit-learn's kind, and right."""
import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from benchmark_utils.fenchel import LogisticRegression
from sparse_problems import problem

X, Y = problem(120, 6)
THREE = np.array(["ant", "bee", "cat"])[
    np.digitize(X[:, 0], [-0.5, 0.5])
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([LogisticRegression()])
def test_scikit_learn_has_no_complaint(estimator, check):
    check(estimator)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_agrees_with_scikit_learn(C, weighted, fit_intercept):
    weights = np.linspace(0.0, 2.0, 120) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = LogisticRegression(C=C, fit_intercept=fit_intercept).fit(
            X, Y, sample_weight=weights
        )
        reference = Reference(
            C=C, fit_intercept=fit_intercept, solver="newton-cholesky",
            tol=1e-12,
        ).fit(X, Y, sample_weight=weights)
    np.testing.assert_allclose(ours.coef_, reference.coef_, atol=1e-6)
    np.testing.assert_allclose(
        ours.intercept_, reference.intercept_, atol=1e-6
    )
    np.testing.assert_allclose(
        ours.predict_proba(X), reference.predict_proba(X), atol=1e-6
    )
    assert ours.score(X, Y) == reference.score(X, Y)


def test_class_weights_agree_with_scikit_learn():
    y = np.where(X[:, 0] > 1.0, "rare", "usual")
    for class_weight in ("balanced", {"rare": 5.0, "usual": 0.5}):
        ours = LogisticRegression(class_weight=class_weight).fit(X, y)
        reference = Reference(
            class_weight=class_weight, solver="newton-cholesky", tol=1e-12
        ).fit(X, y)
        np.testing.assert_allclose(ours.coef_, reference.coef_, atol=1e-6)


@pytest.mark.parametrize("penalty, ratio", [("l1", None), ("elasticnet", 0.3)])
def test_sparse_penalties_agree_with_scikit_learn(penalty, ratio):
    ours = LogisticRegression(penalty=penalty, l1_ratio=ratio, C=0.1)
    with warnings.catch_warnings():
        # how scikit-learn wants its penalty told has changed
        warnings.simplefilter("ignore")
        reference = Reference(
            penalty="elasticnet", l1_ratio=1.0 if ratio is None else ratio,
            C=0.1, solver="saga", tol=1e-10, max_iter=100_000,
        ).fit(X, Y)
    ours.fit(X, Y)
    np.testing.assert_allclose(ours.coef_, reference.coef_, atol=1e-5)
    assert (ours.coef_ == 0.0).any()
    assert ours.duality_gap_.max() <= 1e-8


@pytest.mark.parametrize("penalty", ["mcp", "scad"])
def test_takes_what_is_not_convex(penalty):
    model = LogisticRegression(penalty=penalty, C=0.1).fit(X, Y)
    assert 0 < (model.coef_ != 0.0).sum() < 6
    assert model.duality_gap_[0] <= 1e-8 / 0.1


def test_more_classes_are_one_against_the_rest():
    model = LogisticRegression().fit(X, THREE)
    assert model.coef_.shape == (3, 6)
    for k, name in enumerate(model.classes_):
        alone = LogisticRegression().fit(X, THREE == name)
        np.testing.assert_array_equal(model.coef_[k], alone.coef_[0])
    chances = model.predict_proba(X)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.log(chances), model.predict_log_proba(X))
    assert (model.classes_[chances.argmax(axis=1)] == model.predict(X)).all()


def test_is_a_part_of_scikit_learn():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    assert cross_val_score(model, X, y, cv=3).mean() > 0.95
    search = GridSearchCV(
        model, {"logisticregression__C": [0.01, 1.0]}, cv=3
    ).fit(X, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert (again.predict(X) == search.predict(X)).all()
    assert clone(LogisticRegression(C=3.0)).C == 3.0


def test_a_warm_start_takes_fewer_iterations():
    large, y = problem(3000, 60)
    model = LogisticRegression(warm_start=True).fit(large, y)
    first = model.n_iter_[0]
    model.fit(large, y)
    assert model.n_iter_[0] < first


def test_sparse_data():
    model = LogisticRegression(C=0.5).fit(sparse.csr_matrix(X), Y)
    other = LogisticRegression(C=0.5).fit(X, Y)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-6)


def test_says_where_it_did_not_converge():
    large, y = problem(3000, 60)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model = LogisticRegression(max_iter=1, C=1e6).fit(large, y)
    assert model.duality_gap_[0] > 1e-8


@pytest.mark.parametrize("options, reason", [
    (dict(C=0.0), "must be a positive number"),
    (dict(C="big"), "must be a positive number"),
    (dict(penalty="elasticnet", l1_ratio=2.0), "between 0 and 1"),
    (dict(penalty="l1", l1_ratio=0.5), "set penalty='elasticnet'"),
    (dict(penalty="lasso"), "is unknown: choose among"),
])
def test_refuses(options, reason):
    with pytest.raises(ValueError, match=reason):
        LogisticRegression(**options).fit(X, Y)
