import numpy as np
from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.summary import (
    best_reached,
    has_bound,
    measured,
    seconds,
    times_to,
)

LEVELS = (1e-3, 1e-6, 1e-9)


class Plot(BasePlot):
    """Time to a certified suboptimality of 1e-3, 1e-6 and 1e-9, a table.

    With the ratio to the fastest solver; where a solver does not get there,
    what it did reach. Where F is not convex, to a violation, and the value
    beside it, since solvers end at different points.
    """

    name = "time_to_accuracy"
    type = "table"
    options = {"dataset": ..., "objective": ...}

    def plot(self, df, dataset, objective):
        problem = (dataset, objective)
        chosen = df[
            (df["dataset_name"] == dataset)
            & (df["objective_name"] == objective)
        ]
        if chosen.empty:
            return []
        times = [times_to(chosen, level).loc[problem] for level in LEVELS]
        reached = best_reached(chosen).loc[problem]
        names = sorted(
            times[0].index, key=lambda name: [
                *(one[name] for one in reversed(times)),
                reached.get(name, np.inf),
            ],
        )
        convex = has_bound(chosen)
        values = chosen.groupby("solver_name")["objective_value"].last()
        values = {name: float(f"{x:.9g}") for name, x in values.items()}
        rows = []
        for rank, name in enumerate(names, 1):
            row = [rank, name]
            for one in times:
                there = np.isfinite(one[name])
                row.append(seconds(one[name]))
                row.append(f"{one[name] / one.min():.1f}" if there else "")
            row.append(
                float(f"{reached[name]:.1e}") if name in reached else "failed"
            )
            if not convex:
                row.append(values.get(name, ""))
            rows.append(row)
        return rows

    def get_metadata(self, df, dataset, objective):
        columns = ["rank", "solver"]
        for level in LEVELS:
            text = f"{level:.0e}".replace("e-0", "e-")
            columns += [f"to {text}", f"ratio at {text}"]
        chosen = df[df["objective_name"] == objective]
        last = ["reached"] if has_bound(chosen) else ["reached", "F / n"]
        what = measured(chosen).removesuffix(" of")
        return {
            "title": f"Time to {what}\n{dataset}\n{label(objective)}",
            "columns": [*columns, *last],
            "default_order_ascending": True,
            "default_order_column": 0,
        }
