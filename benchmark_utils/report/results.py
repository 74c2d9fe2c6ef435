"""Statistics of a table of results, shared by the plots."""
import numpy as np

# Gaps below are shown there: 1e-16 is where float64 ends
SMALLEST_GAP = 1e-16


def curve_over_time(runs, column, positive=True):
    """One solver's curve on one problem: medians over the repetitions.

    Parameters
    ----------
    runs : pandas.DataFrame
        The rows of one solver on one problem, with the columns `stop_val`,
        `idx_rep`, `time` and `column`.
    column : str
        What to show.
    positive : bool
        Raise values that are not positive to 1e-16, so that they stay on a
        logarithmic axis.

    Returns
    -------
    dict
        Lists `x`, `y` and, with several repetitions, `x_low`, `x_high`; the
        points in the order in which the solver's effort grew, so that a
        noisy clock bends a curve and does not tear it.
    """
    # stop_val is 0 (iterations) or about 3e38 (tolerances) at w = 0
    started = runs[(runs["stop_val"] > 0) & (runs["stop_val"] < 1e38)]
    groups = started.groupby("stop_val", sort=False)
    points = groups[["time", column]].median()
    y = points[column]
    if positive:
        y = np.maximum(y, SMALLEST_GAP)
    curve = {"x": points["time"].tolist(), "y": y.tolist()}
    if runs["idx_rep"].nunique() > 1 and curve["x"]:
        # one call for both: a call a group takes a hundred times as long
        low, high = (
            groups["time"].quantile(q).reindex(points.index)
            for q in (0.2, 0.8)
        )
        curve |= {"x_low": low.tolist(), "x_high": high.tolist()}
    return curve
