"""Write README's table of what each solver reached in the published run.

    python -m tools.tables.reached_table [--write README.md]

From the newest results/*-full: for each solver and penalty on how many of
its problems it reached `LEVEL`, and how far it came on the worst of the
others; the version of its library; and what failed or was not installed.
"""
import json

import numpy as np
import pandas as pd
from benchopt.benchmark import Benchmark

from benchmark_utils.report import not_run
from benchmark_utils.report.provenance import COLUMN
from benchmark_utils.report.summary import best_reached, times_to
from tools import ROOT
from tools.published import newest
from tools.tables.conclusion import LEVEL, facts_of
from tools.tables.markdown import parser, show_or_write
from tools.tables.solver_table import own_packages

PENALTIES = ("L2", "L1", "elastic net")


def versions(df):
    """{solver: its library and version as it was run}."""
    packages = {
        cls.name: own_packages(cls) for cls in Benchmark(ROOT).get_solvers()
    }
    found = {}
    last = df.dropna(subset=[COLUMN]).groupby("solver_name")[COLUMN].last()
    for solver, text in last.items():
        loaded = json.loads(text)["versions"]
        found[solver] = ", ".join(
            f"{name} {loaded[name]}"
            for name in packages.get(solver.split("[")[0], ())
            if name in loaded
        )
    return found


def reached(times, best, solver):
    """On how many problems it got there, and how far on the worst."""
    run = times[solver].dropna()
    if run.empty:
        return ""
    there = np.isfinite(run)
    text = f"{there.sum()} of {len(run)}"
    if there.all():
        return text
    stalled = best.loc[run.index[~there], solver]
    if stalled.notna().any():
        text += f", worst {stalled.max():.0e}"
    return text


def notes(df):
    """{solver: what failed or is not installed, and why}."""
    found = {}
    for one in not_run.read(df) or ():
        if one["solver"] and one["status"] != "skip":
            what = "" if one["status"] == "not installed" else "failed: "
            found.setdefault(one["solver"], {})[what + one["reason"]] = None
    return {solver: "; ".join(texts) for solver, texts in found.items()}


def table(df):
    """As Markdown."""
    times, best = times_to(df, LEVEL), best_reached(df)
    best = best.reindex(columns=times.columns)
    facts, library, said = facts_of(df), versions(df), notes(df)
    header = ["solver", "library, as run", *PENALTIES, "what happened"]
    rows = [header, ["---"] * len(header)]
    for solver in sorted({*times, *said}):
        cells = [f"`{solver}`", library.get(solver, "")]
        for penalty in PENALTIES:
            chosen = [
                name for name in times.index
                if facts[name]["penalty"] == penalty
            ]
            cells.append(
                reached(times.loc[chosen], best, solver)
                if solver in times else ""
            )
        rows.append([*cells, said.get(solver, "")])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def text_of(folder):
    """The table and where it is from."""
    df = pd.read_parquet(folder / "result.parquet")
    place = f"{folder.parent.name}/{folder.name}"
    return (
        f"From [{place}]({place}): on how many problems a solver reached a "
        f"certified suboptimality of {LEVEL:.0e} in its time, and how far it "
        "came on the worst of the others. An empty cell: it cannot, and says "
        f"why.\n\n{table(df)}"
    ).replace("e-0", "e-")


def main():
    target = parser(__doc__).parse_args().write
    show_or_write(target, text_of(newest()), "reached")


if __name__ == "__main__":
    main()
