from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.results import curve_over_time
from benchmark_utils.report.styles import styles
from benchmark_utils.report.summary import (
    facts_of,
    has_bound,
    suboptimality,
)


class Plot(BasePlot):
    """Certified suboptimality against passes over X.

    A pass is the time of one `X @ w` and one `X.T @ r`, measured in the same
    run: how far from the physical limit a solver is, which needs at least one
    to know the gradient.
    """

    name = "passes_over_x"
    type = "scatter"
    options = {"dataset": ..., "objective": ...}

    def plot(self, df, dataset, objective):
        style = styles(df)
        problem = df[
            (df["dataset_name"] == dataset)
            & (df["objective_name"] == objective)
        ]
        cost = facts_of(df).get((dataset, objective), {}).get("pass_seconds")
        if not cost or problem.empty:
            return []
        problem = problem.assign(
            suboptimality=suboptimality(problem), time=problem["time"] / cost
        )
        return [
            {
                **curve_over_time(runs, "suboptimality"), "label": solver,
                **style[solver],
            }
            for solver, runs in problem.groupby("solver_name")
        ]

    def get_metadata(self, df, dataset, objective):
        convex = has_bound(df[df["objective_name"] == objective])
        return {
            "title": f"{dataset}\n{label(objective)}",
            "xlabel": "Passes over X: time over that of X @ w and X.T @ r",
            "ylabel": "(F - best lower bound of all) / F" if convex
            else "Violation of stationarity / (lambda1 / n)",
            "scale": "loglog",
        }
