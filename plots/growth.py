from collections import defaultdict

from benchopt import BasePlot

from benchmark_utils.report.styles import styles
from benchmark_utils.report.summary import (
    facts_of,
    fitted_exponent,
    measured,
    times_to,
)

SIZES = {"n_samples": "n_features", "n_features": "n_samples"}


class Plot(BasePlot):
    """Time against n or p, log-log, with the fitted exponent.

    Problems that differ in the chosen size only are a line; with fewer than
    three sizes there is none.
    """

    name = "growth"
    type = "scatter"
    options = {"size": list(SIZES), "level": ["1e-6", "1e-8", "1e-3"]}

    def plot(self, df, size, level):
        style = styles(df)
        times, facts = times_to(df, float(level)), facts_of(df)
        groups = defaultdict(list)
        for dataset, objective in times.index:
            one = facts.get((dataset, objective))
            if one is None:
                continue
            family = dataset.split("[")[0]
            groups[family, objective, one[SIZES[size]]].append(
                (one[size], (dataset, objective))
            )
        curves = []
        for (family, _, other), members in groups.items():
            members = sorted(members)
            if len({n for n, _ in members}) < 3:
                continue
            for solver in times:
                sizes = [n for n, _ in members]
                some = times.loc[[name for _, name in members], solver]
                exponent = fitted_exponent(sizes, some)
                if exponent != exponent:
                    continue
                points = [
                    (n, t) for n, t in zip(sizes, some, strict=True)
                    if 0 < t < float("inf")
                ]
                curves.append({
                    "x": [n for n, _ in points],
                    "y": [t for _, t in points],
                    "label": f"{solver}: {exponent:.2f} ({family}, "
                    f"{SIZES[size]}={other})",
                    **style[solver],
                })
        return curves

    def get_metadata(self, df, size, level):
        return {
            "title": f"Time to {measured(df)} {level} against "
            f"{size}, with the fitted exponent",
            "xlabel": size,
            "ylabel": "Time [s]",
            "scale": "loglog",
        }
