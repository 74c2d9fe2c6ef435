import numpy as np
from benchopt import BasePlot

from benchmark_utils.report.styles import styles
from benchmark_utils.report.summary import (
    families,
    measured,
    of_family,
    times_to,
)


class Plot(BasePlot):
    """Performance profile: on how many problems a solver is how fast.

    rho(tau) is the share of the problems on which a solver's time is at most
    tau times that of the fastest. At tau = 1 it is the share that it wins, at
    the right the share that it solves at all; a problem on which a solver was
    not run counts as not solved. E. Dolan and J. More, "Benchmarking
    optimization software with performance profiles", Math. Program. 91,
    2002, doi:10.1007/s101070100263.
    """

    name = "performance_profile"
    type = "scatter"
    options = {"family": families, "level": ["1e-6", "1e-3", "1e-8"]}

    def plot(self, df, family, level):
        style = styles(df)
        times = of_family(times_to(df, float(level)), df, family)
        times = times[np.isfinite(times.min(axis=1))]
        if times.empty:
            return []
        ratios = times.div(times.min(axis=1), axis=0)
        limit = 1.2 * max(ratios.where(np.isfinite(ratios)).max().max(), 2.0)
        curves = []
        for name in ratios:
            finite = np.sort(ratios[name][np.isfinite(ratios[name])])
            # steps: a point before and after each jump
            x = np.repeat(np.r_[1.0, finite, limit], 2)[1:]
            share = np.r_[0.0, np.arange(1, len(finite) + 1)] / len(ratios)
            y = np.repeat(np.r_[share, share[-1]], 2)[:-1]
            first = np.searchsorted(x, 1.0, side="right") - 1
            curves.append({
                "x": x[first:].tolist(), "y": y[first:].tolist(),
                "label": name, **style[name],
            })
        # the order of the legend: who is highest on the whole
        return sorted(curves, key=lambda one: -area(one, limit))

    def get_metadata(self, df, family, level):
        count = len(of_family(times_to(df, float(level)), df, family))
        return {
            "title": f"Performance profile: {count} problems ({family}), "
            f"time to {measured(df)} {level}",
            "xlabel": "Time over that of the fastest solver",
            "ylabel": "Share of the problems",
            "scale": "semilog-x",
        }


def area(curve, limit):
    """Below a step curve, over the logarithm of tau."""
    x, y = np.log(curve["x"]), np.asarray(curve["y"])
    return float((np.diff(x) * y[:-1]).sum()) / np.log(limit)
