"""Logistic regression, fast and certified."""
from .fit import fit_logistic
from .newton.small.batch import fit_many, pack_problems

__all__ = ["fit_logistic", "fit_many", "pack_problems"]
