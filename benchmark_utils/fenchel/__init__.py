"""Logistic regression, fast and certified."""
from .fit import fit_logistic, fit_many
from .newton.small.batch import pack_problems

__all__ = ["fit_logistic", "fit_many", "pack_problems"]
