from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.results import curve_over_time
from benchmark_utils.report.styles import styles
from benchmark_utils.report.summary import VIOLATION, has_bound


class Plot(BasePlot):
    """Certified relative gap, (F - lower bound) / F, over time.

    Where F is not convex, the violation of stationarity over lambda1 / n.

    Medians over the repetitions, with the quantiles 0.2 and 0.8 of the time.
    The start (w = 0, after no time) has no place on a logarithmic axis.
    """

    name = "certified_gap"
    type = "scatter"
    options = {"dataset": ..., "objective": ...}

    def plot(self, df, dataset, objective):
        style = styles(df)
        problem = df[
            (df["dataset_name"] == dataset)
            & (df["objective_name"] == objective)
        ]
        column = (
            "objective_relative_gap" if has_bound(problem) else VIOLATION
        )
        if column not in problem:
            return []
        return [
            {
                **curve_over_time(runs, column),
                "label": solver,
                **style[solver],
            }
            for solver, runs in problem.groupby("solver_name")
        ]

    def get_metadata(self, df, dataset, objective):
        convex = has_bound(df[df["objective_name"] == objective])
        return {
            "title": f"{dataset}\n{label(objective)}",
            "xlabel": "Time [s]",
            "ylabel": "Certified relative gap, (F - lower bound) / F"
            if convex else "Violation of stationarity / (lambda1 / n)",
            "scale": "loglog",
        }
