import numpy as np
from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.summary import measured, seconds, times_to


class Plot(BasePlot):
    """Which solver for which problem, and by how much: a line a problem.

    The fastest to a certified suboptimality, its time, the runner-up, how
    many times as long that takes, and how many solvers got there.
    """

    name = "winners"
    type = "table"
    options = {"level": ["1e-6", "1e-3", "1e-9"]}

    def plot(self, df, level):
        rows = []
        for (dataset, objective), times in times_to(
            df, float(level)
        ).iterrows():
            run = times.dropna().sort_values(kind="stable")
            there = run[np.isfinite(run)]
            row = [dataset, label(objective), "nobody", "", "", ""]
            if len(there):
                row[2:4] = there.index[0], seconds(there.iloc[0])
            if len(there) > 1:
                ratio = there.iloc[1] / there.iloc[0]
                row[4:6] = there.index[1], float(f"{ratio:.3g}")
            rows.append([*row, f"{len(there)} of {len(run)}"])
        return rows

    def get_metadata(self, df, level):
        return {
            "title": f"The fastest to {measured(df)} {level}",
            "columns": [
                "dataset", "objective", "fastest", "time", "runner-up",
                "times as long", "solvers that got there",
            ],
            "default_order_ascending": True,
            "default_order_column": 0,
        }
