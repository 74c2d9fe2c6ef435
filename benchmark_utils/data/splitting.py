"""Hold samples out, always the same ones, and scale what is left."""
import numbers

import numpy as np

from benchmark_utils.data.scaling import check_scaling, scale_together


def held_out(y, share, seed=0):
    """Choose the samples of a test set, `share` of each class.

    Parameters
    ----------
    y : array of shape (n_samples,)
    share : float in [0, 1)
    seed : int

    Returns
    -------
    test : boolean array of shape (n_samples,)
        At least one sample of each class is not in it.

    Raises
    ------
    ValueError
        Where `share` is no such number.
    """
    if not isinstance(share, numbers.Real) or not 0 <= share < 1:
        raise ValueError(
            f"test_share={share} must be at least 0 and below 1."
        )
    rng = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        count = min(round(share * len(members)), len(members) - 1)
        test[members[:count]] = True
    return test


def split_and_scale(X, y, scaling="raw", test_share=0.0):
    """What `Dataset.get_data` returns, from all samples.

    The split depends on the labels and on `test_share`, on nothing else; the
    numbers that scale the columns are those of the training samples.

    Parameters
    ----------
    X : array, CSR or CSC matrix of shape (n_samples, n_features)
        Never changed.
    y : array of shape (n_samples,)
    scaling : {"raw", "standardized", "maxabs"}
    test_share : float in [0, 1)
        Share of each class that is held out; 0 for no test set.

    Returns
    -------
    dict
        X, y, and X_test, y_test where there is a test set. The order of the
        samples is kept.

    Raises
    ------
    ValueError
        For a parameter that has no such value.
    """
    check_scaling(scaling)
    y = np.asarray(y)
    test = held_out(y, test_share)
    if not test.any():
        X, _ = scale_together(X, None, scaling)
        return dict(X=X, y=y)
    # These are copies already
    X, X_test = scale_together(X[~test], X[test], scaling, copy=False)
    return dict(X=X, y=y[~test], X_test=X_test, y_test=y[test])
