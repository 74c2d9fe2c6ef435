"""Statistics over all problems of a result, shared by plots and tools.

The *certified suboptimality* of a point is (F - B) / F, with B the best lower
bound that any solver reached on that problem: what is known about F - F*
without any reference run. Below B's own gap it cannot see. Where F is not
convex no bound exists: the violation of stationarity over lambda1 / n stands
in its place everywhere, and the value beside it.
"""
import json

import numpy as np
import pandas as pd
from benchopt.runner import FAILURE_STATUS

from benchmark_utils.report import not_run
from benchmark_utils.report.problem_facts import KINDS, kinds_of
from benchmark_utils.report.provenance import COLUMN
from benchmark_utils.report.styles import OURS, PARTS

PROBLEM = ["dataset_name", "objective_name"]
ALL = "all problems"
BOUND, VIOLATION = "objective_lower_bound", "objective_relative_violation"


def suboptimality(df):
    """Certified suboptimality of every row, a Series like `df`.

    Where F is not convex, the violation over lambda1 / n.
    """
    if BOUND not in df:
        return df[VIOLATION].astype(float)
    bound = df.groupby(PROBLEM)[BOUND].transform("max")
    value = df["objective_value"]
    found = ((value - bound) / value).clip(lower=0.0)
    if VIOLATION in df:
        found = found.where(bound.notna(), df[VIOLATION])
    return found


def has_bound(df):
    """Whether the problem of these rows is convex: F has a lower bound."""
    return BOUND in df and bool(df[BOUND].notna().any())


def measured(df):
    """Name what `suboptimality` is for these rows, in a title."""
    if VIOLATION not in df or df[VIOLATION].isna().all():
        return "a certified suboptimality of"
    if not has_bound(df):
        return "a violation over lambda1 / n of"
    return "a certified suboptimality (not convex: violation) of"


def above_the_least(df):
    """(F - the least F that any solver found) / F, a Series like `df`."""
    least = df.groupby(PROBLEM)["objective_value"].transform("min")
    return (df["objective_value"] - least) / df["objective_value"]


def resolution(df):
    """The smallest certified suboptimality of each problem, a Series."""
    return suboptimality(df).groupby([df[name] for name in PROBLEM]).min()


# Plots ask for the same table once for each of their options, which takes
# 0.2 s each: those of the newest result are kept
_newest = {"df": None, "tables": {}}


def times_to(df, level):
    """Seconds to a certified suboptimality, infinite where not reached.

    The median over the repetitions, all of which must reach it; what failed
    (benchmark_utils/report/not_run.py) did not.

    Parameters
    ----------
    df : pandas.DataFrame
        A result of benchopt.
    level : float

    Returns
    -------
    pandas.DataFrame
        A row a problem, a column a solver; NaN where it was not run.
    """
    if _newest["df"] is not df:
        _newest.update(df=df, tables={})
    if level not in _newest["tables"]:
        _newest["tables"][level] = _times_to(df, level)
    return _newest["tables"][level]


def _times_to(df, level):
    reached = suboptimality(df) <= level
    # the start, w = 0, takes no time
    first = df["time"].where(reached, np.inf).groupby(
        [df[name] for name in [*PROBLEM, "solver_name", "idx_rep"]]
    ).min()
    median = first.groupby(level=[*PROBLEM, "solver_name"]).agg(
        lambda times: times.median() if np.isfinite(times).all() else np.inf
    )
    times = median.unstack("solver_name")
    # what failed has no rows, and is no better than what stalled
    for one in not_run.read(df) or ():
        problem = (one["dataset"], one["objective"])
        if one["status"] in FAILURE_STATUS and problem in times.index:
            times.loc[problem, one["solver"]] = np.inf
    return times


def best_reached(df):
    """The certified suboptimality that each solver ended with."""
    return suboptimality(df).groupby(
        [df[name] for name in [*PROBLEM, "solver_name"]]
    ).min().unstack("solver_name")


def facts_of(df):
    """The facts of each problem, {(dataset, objective): facts}."""
    if COLUMN not in df:
        return {}
    known = df.dropna(subset=[COLUMN]).groupby(PROBLEM)[COLUMN].first()
    return {name: json.loads(text)["problem"] for name, text in known.items()}


def families(df):
    """All problems, and the kinds of which the result has some."""
    found = {kind for one in facts_of(df).values() for kind in kinds_of(one)}
    return [ALL, *(kind for kind in KINDS if kind in found)]


def of_family(times, df, family):
    """The rows of `times` that are problems of a family."""
    if family == ALL:
        return times
    facts = facts_of(df)
    chosen = [
        name for name in times.index
        if name in facts and family in kinds_of(facts[name])
    ]
    return times.loc[chosen]


def ratios_to(times, solver):
    """Times of a solver over those of every other, and the fastest other.

    Returns
    -------
    pandas.DataFrame
        A row a problem on which the solver was run: `own`, `other` (seconds
        of the fastest other solver; of ours, without `PARTS`), `who` it is,
        and `ratio` = other / own:
        infinite where only this solver got there, 0 where only another one
        did, NaN where none.
    """
    times = times[times[solver].notna()]
    parts = PARTS if solver == OURS else ()
    others = times.drop(columns=[solver, *parts], errors="ignore")
    own = times[solver]
    other = others.min(axis=1).fillna(np.inf)
    who = pd.Series("", index=times.index)
    if others.shape[1]:
        fastest = others.fillna(np.inf).idxmin(axis=1)
        who = fastest.where(np.isfinite(other), "")
    with np.errstate(invalid="ignore"):
        ratio = other / own
    return pd.DataFrame(
        {"own": own, "other": other, "who": who, "ratio": ratio}
    )


def geometric_mean(values):
    """Of the positive finite values; NaN where there are none."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.exp(np.log(values).mean())) if len(values) else np.nan


def fitted_exponent(sizes, times):
    """Slope of log time over log size, least squares; NaN below two sizes."""
    sizes, times = np.asarray(sizes, float), np.asarray(times, float)
    kept = np.isfinite(times) & (times > 0)
    if len(np.unique(sizes[kept])) < 2:
        return np.nan
    return float(np.polyfit(np.log(sizes[kept]), np.log(times[kept]), 1)[0])


def seconds(value):
    """As a reader wants it: 12.3 us, 4.56 ms, 7.89 s."""
    if not np.isfinite(value):
        return "not reached"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            break
    return f"{value / size:.3g} {unit}"
