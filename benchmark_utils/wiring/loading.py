"""Load a dataset, or say why it cannot be loaded, and go on."""
from benchopt.config import RAISE_ON_ERROR

from benchmark_utils.wiring.benchopt_private import raw_data


def load_or_explain(dataset):
    """Load the data of a benchopt dataset once, and keep a failure.

    benchopt 1.10 lets an exception of `Dataset.get_data` end the whole run
    without saving the results already computed; here it becomes a reason to
    skip that dataset. With BENCHOPT_RAISE_ON_ERROR=1 it is raised.

    Parameters
    ----------
    dataset : benchopt.BaseDataset

    Returns
    -------
    skip : bool
    reason : str or None
    """
    if getattr(dataset, "failure", None) is not None:
        return True, dataset.failure
    try:
        data = raw_data(dataset)
    except Exception as error:
        if RAISE_ON_ERROR:
            raise
        dataset.failure = (
            f"{dataset} could not be loaded: {type(error).__name__}: {error}"
        )
        return True, dataset.failure
    missing = {"X", "y"} - set(data)
    unknown = set(data) - {"X", "y", "X_test", "y_test", "coef_true"}
    if missing or unknown:
        dataset.failure = (
            f"{dataset}.get_data returned the keys {sorted(data)}; it must "
            "return X and y, and may return X_test, y_test and coef_true."
        )
        return True, dataset.failure
    return False, None
