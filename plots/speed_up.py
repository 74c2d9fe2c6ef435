import numpy as np
from benchopt import BasePlot

from benchmark_utils.report.styles import styles
from benchmark_utils.report.summary import (
    families,
    geometric_mean,
    measured,
    of_family,
    times_to,
)

# The notebook's first; each is one more page of bars
REFERENCES = (
    "scipy[method=Newton-CG]", "scipy[method=L-BFGS-B]",
    "sklearn[solver=lbfgs]", "auto-newton",
)


def references(df):
    names = df["solver_name"].unique()
    found = [name for name in REFERENCES if name in names]
    return found or sorted(names)[:1]


class Plot(BasePlot):
    """Speed-up over a reference solver, the geometric mean over problems.

    Over the problems that both solve; the name says how many these are, where
    they are not all. (benchopt's page greys a bar that has a text.)
    """

    name = "speed_up"
    type = "bar_chart"
    options = {
        "reference": references,
        "family": families,
        "level": ["1e-6", "1e-3"],
    }

    def plot(self, df, reference, family, level):
        style = styles(df)
        times = of_family(times_to(df, float(level)), df, family)
        bars = []
        for name in times:
            ratio = times[reference] / times[name]
            both = np.isfinite(times[reference]) & np.isfinite(times[name])
            mean = geometric_mean(ratio[both])
            if np.isfinite(mean):
                count = f" ({both.sum()} of {len(times)})"
                bars.append({
                    "y": [mean],
                    "text": "",
                    "label": name + count * (not both.all()),
                    "color": style[name]["color"],
                })
        return sorted(bars, key=lambda one: -one["y"][0])

    def get_metadata(self, df, reference, family, level):
        return {
            "title": f"Speed-up over {reference} ({family}), geometric mean, "
            f"to {measured(df)} {level}",
            "ylabel": "Times as fast",
        }
