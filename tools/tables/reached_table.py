"""Write the table of what each solver reached, and what lost.

    python -m tools.tables.reached_table [--write docs/results.md]

From the newest results/*-full: for each solver and penalty on how many of
its problems it reached `LEVEL`, and how far it came on the worst of the
others; the version of its library; and what failed or was not installed.
Those that missed the largest share of their problems come first.
"""
import json

import numpy as np
from benchopt.benchmark import Benchmark

from benchmark_utils.report import not_run
from benchmark_utils.report.provenance import COLUMN
from benchmark_utils.report.summary import best_reached, times_to
from tools import ROOT
from tools.published import link, newest, read
from tools.tables.conclusion import LEVEL, PENALTIES, chosen, facts_of
from tools.tables.markdown import parser, show_or_write
from tools.tables.markdown import table as table_of
from tools.tables.solver_table import own_packages


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
    used = {
        which: some for which in PENALTIES
        if (some := chosen(facts, None, which))
    }
    header = ["solver", "library, as run", "missed", *used, "what happened"]
    lines = []
    for solver in sorted({*times, *said}):
        run = times[solver].dropna() if solver in times else times.iloc[:0, 0]
        count = int(np.isinf(run).sum())
        cells = [f"`{solver}`", library.get(solver, "")]
        cells.append(f"{count} of {len(run)}" if len(run) else "not run")
        for problems in used.values():
            cells.append(
                reached(times.loc[problems], best, solver)
                if solver in times else ""
            )
        share = count / max(len(run), 1)
        lines.append((-share, [*cells, said.get(solver, "")]))
    return table_of([header, *(cells for _, cells in sorted(lines))])


def text_of(folder, root="../"):
    """The table and where it is from."""
    df = read(folder)
    return (
        f"From {link(folder, root)}: how many of its problems a solver "
        f"missed, on how many it reached a certified suboptimality of "
        f"{LEVEL:.0e} in its time, and how far it came on the worst of the "
        "others. An empty cell means that it cannot solve such problems.\n\n"
        f"{table(df)}"
    ).replace("e-0", "e-")


def main():
    target = parser(__doc__).parse_args().write
    show_or_write(target, text_of(newest()), "reached")


if __name__ == "__main__":
    main()
