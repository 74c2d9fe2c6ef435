"""Logistic regression as scikit-learn's estimators are; needs scikit-learn.

>>> from fenchel import LogisticRegression
>>> model = LogisticRegression(C=10.0).fit(X, y)  # doctest: +SKIP
"""
import numbers
import warnings

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted
except ImportError as error:
    raise ImportError(
        "fenchel.LogisticRegression needs scikit-learn 1.5 or newer: pip "
        "install scikit-learn. fit_logistic does without it."
    ) from error
try:
    from sklearn.utils.validation import validate_data
except ImportError:
    # before scikit-learn 1.6 it was a method
    def validate_data(estimator, *args, **options):
        return estimator._validate_data(*args, **options)
from scipy.special import expit

from .fit import fit_logistic

# Up to so many entries an iteration more takes microseconds, and makes
# coefficients agree in seven digits, as `check_estimator` wants them
_SMALL, _SHARP = 10_000, 1e-15
#: the share of lambda1 where `l1_ratio` does not say it
_L1_RATIOS = {"l2": 0.0, "l1": 1.0}


class LogisticRegression(ClassifierMixin, BaseEstimator):
    r"""Classify by logistic regression, each fit with a certificate.

    .. math::
        \min_{w, b} \sum_i c_i \log(1 + e^{-y_i (x_i^\top w + b)})
        + \tfrac{1}{C} \left( \rho \, r(w)
        + \tfrac{1 - \rho}{2} \|w\|_2^2 \right)

    scikit-learn's objective divided by C. With more than two classes there is
    one such problem a class, this one against the rest, and probabilities are
    scaled to sum to one; it is not the multinomial model.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet", "mcp", "scad"}
        r is |w|_1; or, not convex, MCP or SCAD in its place.
    C : float, > 0
    l1_ratio : float in [0, 1], optional
        rho; 0 with "l2", 1 with "l1", 0.5 with "elasticnet" and 1 with the
        others by default.
    gamma : float
        Of "mcp" and "scad", see `fit_logistic`.
    fit_intercept : bool
    class_weight : dict or "balanced", optional
    tol : float
        The certified relative duality gap to reach, see `fit_logistic`. Data
        of up to 10 000 entries are fitted as well as float64 allows.
    warm_start : bool
        Start from the last solution, where the features are as many.
    max_iter : int

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
    coef_ : array of shape (1 or n_classes, n_features)
    intercept_ : array of shape (1 or n_classes,)
    n_iter_ : array of shape (1 or n_classes,), int
    duality_gap_ : array of shape (1 or n_classes,)
        What is certified of the coefficients, relative to F; where r is not
        convex, the violation of stationarity, divided by the sum of c.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Where X has names of columns that are strings.
    """

    def __init__(
        self, *, penalty="l2", C=1.0, l1_ratio=None, gamma=20.0,
        fit_intercept=True, class_weight=None, tol=1e-8, warm_start=False,
        max_iter=1000,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.gamma = gamma
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.warm_start = warm_start
        self.max_iter = max_iter

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        sample_weight : array of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For data or parameters that define no problem.
        """
        options = self._options()
        X, y = validate_data(
            self, X, y, accept_sparse=("csr", "csc"), accept_large_sparse=True,
            dtype=(np.float64, np.float32),
        )
        check_classification_targets(y)
        weights = self._weights(X, y, sample_weight)
        if X.shape[0] * X.shape[1] <= _SMALL:
            options["tol"] = min(options["tol"], _SHARP)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has 1 class, {self.classes_[0]!r}: a classifier needs "
                "samples of at least two classes."
            )
        before = self._before(X.shape[1])
        positive = self.classes_ if len(self.classes_) > 2 else (
            self.classes_[1:]
        )
        fits = [
            fit_logistic(
                X, np.where(y == one, 1.0, -1.0), sample_weight=weights,
                **options, **before(k),
            )
            for k, one in enumerate(positive)
        ]
        self.coef_ = np.array([coef for coef, _, _ in fits])
        self.intercept_ = np.array([b for _, b, _ in fits])
        self.n_iter_ = np.array([info["n_iter"] for _, _, info in fits])
        self.duality_gap_ = np.array([
            info.get("relative_gap", info.get("violation"))
            for _, _, info in fits
        ])
        limit = self.tol
        if "violation" in fits[0][2]:
            limit *= options["l1"]
        if not (self.duality_gap_ <= limit).all():
            warnings.warn(
                f"{fits[0][2]['status']}; duality_gap_ says how good the "
                "coefficients are. Scale the features, raise tol or max_iter.",
                ConvergenceWarning, stacklevel=2,
            )
        return self

    def _options(self):
        """Return the arguments of `fit_logistic` that parameters mean."""
        if not (
            isinstance(self.C, numbers.Real) and 0.0 < float(self.C) < np.inf
        ):
            raise ValueError(f"C={self.C!r} must be a positive number.")
        usual = 0.5 if self.penalty == "elasticnet" else 1.0
        share = _L1_RATIOS.get(self.penalty, usual)
        if self.l1_ratio is not None:
            share = self.l1_ratio
        if not (isinstance(share, numbers.Real) and 0.0 <= share <= 1.0):
            raise ValueError(f"l1_ratio={share!r} must be between 0 and 1.")
        if self.penalty in _L1_RATIOS and share != _L1_RATIOS[self.penalty]:
            raise ValueError(
                f"l1_ratio={share} is not penalty={self.penalty!r}: set "
                "penalty='elasticnet'."
            )
        usual = self.penalty in ("l2", "l1", "elasticnet")
        return dict(
            l1=share / float(self.C), l2=(1.0 - share) / float(self.C),
            penalty="elasticnet" if usual else self.penalty,
            gamma=self.gamma, fit_intercept=self.fit_intercept, tol=self.tol,
            max_iter=self.max_iter,
        )

    def _weights(self, X, y, sample_weight):
        """Return what samples count, None where each counts once."""
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            sample_weight = by_class if sample_weight is None else (
                by_class * sample_weight
            )
        return sample_weight

    def _before(self, n_features):
        """Return what gives the start of the k-th problem."""
        coef = getattr(self, "coef_", None)
        n_problems = len(self.classes_) if len(self.classes_) > 2 else 1
        if not self.warm_start or coef is None or (
            coef.shape != (n_problems, n_features)
        ):
            return lambda k: {}
        intercept = self.intercept_
        return lambda k: dict(
            coef_init=coef[k], intercept_init=float(intercept[k])
        )

    def decision_function(self, X):
        """Compute the margins of the positive class, or of each class.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_classes)
        """
        check_is_fitted(self)
        X = validate_data(
            self, X, accept_sparse=("csr", "csc"), reset=False,
            dtype=(np.float64, np.float32),
        )
        scores = X @ self.coef_.T + self.intercept_
        return scores.ravel() if len(self.classes_) == 2 else scores

    def predict(self, X):
        """Predict the class of each sample.

        Returns
        -------
        array of shape (n_samples,)
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return self.classes_[(scores > 0.0).astype(int)]
        return self.classes_[scores.argmax(axis=1)]

    def predict_log_proba(self, X):
        """Compute the logarithm of each class's probability.

        Returns
        -------
        array of shape (n_samples, n_classes)
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
            return -np.logaddexp(0.0, -scores)
        logs = -np.logaddexp(0.0, -scores)
        return logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)

    def predict_proba(self, X):
        """Compute each class's probability.

        Returns
        -------
        array of shape (n_samples, n_classes)
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([expit(-scores), expit(scores)])
        return np.exp(self.predict_log_proba(X))
