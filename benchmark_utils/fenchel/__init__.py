"""Logistic regression, fast and certified."""
from .fit import fit_logistic, fit_many
from .newton.small.batch import pack_problems

# LogisticRegression, too, where scikit-learn is there
__all__ = ["fit_logistic", "fit_many", "pack_problems"]


def __getattr__(name):
    """Import the estimator when it is asked for: it needs scikit-learn."""
    if name == "LogisticRegression":
        from .estimator import LogisticRegression
        return LogisticRegression
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
