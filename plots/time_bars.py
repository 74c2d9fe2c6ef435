import numpy as np
from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.styles import styles
from benchmark_utils.report.summary import best_reached, measured, times_to


class Plot(BasePlot):
    """Bars of the time to a certified suboptimality, the fastest first.

    A solver that does not get there has the bar of its longest run and says
    what it did reach.
    """

    name = "time_bars"
    type = "bar_chart"
    options = {
        "dataset": ..., "objective": ..., "level": ["1e-3", "1e-6", "1e-9"],
    }

    def plot(self, df, dataset, objective, level):
        style = styles(df)
        chosen = df[
            (df["dataset_name"] == dataset)
            & (df["objective_name"] == objective)
        ]
        if chosen.empty:
            return []
        problem = (dataset, objective)
        times = times_to(chosen, float(level)).loc[problem].sort_values()
        reached = best_reached(chosen).loc[problem]
        longest = chosen.groupby("solver_name")["time"].max()
        # what failed has no time of its own
        longest = longest.reindex(times.index).fillna(longest.min())
        return [
            {
                "y": [time if np.isfinite(time) else longest[name]],
                "text": "" if np.isfinite(time)
                else f"reached {reached[name]:.0e} only" if name in reached
                else "failed",
                "label": name,
                "color": style[name]["color"],
            }
            for name, time in times.items()
        ]

    def get_metadata(self, df, dataset, objective, level):
        what = measured(df[df["objective_name"] == objective])
        return {
            "title": f"Time to {what} {level}\n{dataset}\n"
            f"{label(objective)}",
            "ylabel": "Time [s]",
        }
