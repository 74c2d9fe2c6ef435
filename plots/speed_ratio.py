from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.summary import (
    best_reached,
    geometric_mean,
    measured,
    ratios_to,
    seconds,
    times_to,
)

OURS = "auto-newton"


class Plot(BasePlot):
    """Who wins: each solver against the fastest of all the others.

    For every problem the time to a certified suboptimality, the fastest other
    solver's time, and their ratio, above 1 where the chosen solver wins; lost
    problems are marked and come first. The last row is the geometric mean.
    """

    name = "speed_ratio"
    type = "table"
    options = {
        "level": ["1e-4", "1e-6", "1e-8"],
        "solver": lambda df: sorted(
            df["solver_name"].unique(), key=lambda name: (name != OURS, name)
        ),
    }

    def plot(self, df, level, solver):
        times = times_to(df, float(level))
        if len(times.columns) < 2:
            return []
        reached = best_reached(df)
        known = reached.index[reached[solver].notna()]
        table = ratios_to(times, solver).sort_values("ratio", kind="stable")
        rows = [
            [
                verdict(one["ratio"]), dataset, label(objective),
                seconds(one["own"]) if one["own"] < float("inf")
                else f"not reached ({reached.at[name, solver]:.0e})"
                if name in known else "failed",
                seconds(one["other"]), one["who"], rounded(one["ratio"]),
            ]
            for name, one in table.iterrows()
            for dataset, objective in [name]
        ]
        mean = geometric_mean(table["ratio"])
        lost = int((table["ratio"] < 1).sum())
        rows.append([
            f"{lost} lost", "geometric mean", "", "", "", "", rounded(mean),
        ])
        return rows

    def get_metadata(self, df, level, solver):
        return {
            "title": f"Time to {measured(df)} {level}: "
            f"{solver} against the fastest other solver",
            "columns": [
                "", "dataset", "objective", solver, "fastest other", "who",
                "ratio",
            ],
            "default_order_ascending": True,
            "default_order_column": 6,
        }


def verdict(ratio):
    if ratio != ratio:
        return "nobody"
    return "won" if ratio >= 1 else "LOST"


def rounded(ratio):
    """A number that sorts; 1e9 where nobody else got there."""
    if ratio != ratio:
        return 0.0
    return float(f"{min(ratio, 1e9):.3g}")
