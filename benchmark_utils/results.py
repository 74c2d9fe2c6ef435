"""Statistics of a table of results, shared by the plots."""
import numpy as np

# Gaps below are shown there: 1e-16 is where float64 ends
SMALLEST_GAP = 1e-16


def curve_over_time(runs, column):
    """One solver's curve on one problem: medians over the repetitions.

    Parameters
    ----------
    runs : pandas.DataFrame
        The rows of one solver on one problem, with the columns `stop_val`,
        `idx_rep`, `time` and `column`.
    column : str
        What to show; values that are not positive are raised to 1e-16, so
        that they stay on a logarithmic axis.

    Returns
    -------
    dict
        Lists `x`, `y` and, with several repetitions, `x_low`, `x_high`; the
        points in the order in which the solver's effort grew, so that a
        noisy clock bends a curve and does not tear it.
    """
    # stop_val is 0 (iterations) or about 3e38 (tolerances) at w = 0
    started = runs[(runs["stop_val"] > 0) & (runs["stop_val"] < 1e38)]
    points = started.groupby("stop_val", sort=False).agg(
        x=("time", "median"),
        y=(column, "median"),
        x_low=("time", lambda t: t.quantile(0.2)),
        x_high=("time", lambda t: t.quantile(0.8)),
    )
    points["y"] = np.maximum(points["y"], SMALLEST_GAP)
    curve = {name: points[name].tolist() for name in points}
    if runs["idx_rep"].nunique() == 1:
        del curve["x_low"], curve["x_high"]
    return curve
