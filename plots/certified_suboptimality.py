from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.results import curve_over_time
from benchmark_utils.report.styles import styles
from benchmark_utils.report.summary import (
    above_the_least,
    has_bound,
    resolution,
    suboptimality,
)


class Plot(BasePlot):
    """F minus the best lower bound that any solver reached, over F and time.

    The dashed line is the level below which the certificate cannot see: the
    smallest value that any solver got. Where F is not convex no bound exists,
    and solvers end at different points: F minus the least F that any found.
    """

    name = "certified_suboptimality"
    type = "scatter"
    options = {"dataset": ..., "objective": ...}

    def plot(self, df, dataset, objective):
        style = styles(df)
        problem = df[
            (df["dataset_name"] == dataset)
            & (df["objective_name"] == objective)
        ]
        if problem.empty:
            return []
        convex = has_bound(problem)
        problem = problem.assign(
            suboptimality=(suboptimality if convex else above_the_least)(
                problem
            )
        )
        curves = [
            {
                **curve_over_time(runs, "suboptimality"),
                "label": solver,
                **style[solver],
            }
            for solver, runs in problem.groupby("solver_name")
        ]
        curves = [one for one in curves if one["x"]]
        if curves and convex:
            limit = max(float(resolution(problem).iloc[0]), 1e-16)
            ends = [
                min(min(one["x"]) for one in curves),
                max(max(one["x"]) for one in curves),
            ]
            curves.append({
                "x": ends, "y": [limit, limit],
                "label": "limit of the certificate",
                "color": (0.5, 0.5, 0.5, 1.0), "marker": None,
            })
        return curves

    def get_metadata(self, df, dataset, objective):
        convex = has_bound(df[df["objective_name"] == objective])
        return {
            "title": f"{dataset}\n{label(objective)}",
            "xlabel": "Time [s]",
            "ylabel": "(F - best lower bound of all) / F" if convex
            else "(F - least F of all) / F",
            "scale": "loglog",
        }
