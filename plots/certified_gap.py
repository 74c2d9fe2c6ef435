from benchopt import BasePlot

from benchmark_utils.report.results import curve_over_time
from benchmark_utils.report.styles import styles


class Plot(BasePlot):
    """Certified relative gap, (F - lower bound) / F, over time.

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
        return [
            {
                **curve_over_time(runs, "objective_relative_gap"),
                "label": solver,
                **style[solver],
            }
            for solver, runs in problem.groupby("solver_name")
        ]

    def get_metadata(self, df, dataset, objective):
        return {
            "title": f"{dataset}\n{objective}",
            "xlabel": "Time [s]",
            "ylabel": "Certified relative gap, (F - lower bound) / F",
            "scale": "loglog",
        }
