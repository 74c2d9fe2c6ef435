"""Write the tables of speed from the published results.

    python -m tools.tables.speed_table [--write docs/results.md]

From the newest result of each race (configs/speed*.yml and unseen*.yml): for
every problem the time of `auto-newton` to a certified suboptimality of 1e-4
and 1e-8 (where F is not convex to a violation, and the values that were
found), the fastest of all the others, the ratio, what was lost, and the
memory; what only it reached is in no mean. From the
newest results/*-growth: the exponent of n and of p in the time to 1e-6. No
figure is written by hand.
"""
import numpy as np
import pandas as pd

from benchmark_utils.report.labels import label
from benchmark_utils.report.styles import OURS
from benchmark_utils.report.summary import (
    PROBLEM,
    facts_of,
    fitted_exponent,
    geometric_mean,
    has_bound,
    ratios_to,
    seconds,
    times_to,
)
from tools.published import RESULTS, folders, link, machine, newest, read
from tools.tables.conclusion import runs_of, short
from tools.tables.markdown import parser, show_or_write, table

LEVELS = ("1e-4", "1e-8")
# of a violation over lambda1 / n, where F is not convex
LEVELS_NOT_CONVEX = ("1e-4", "1e-6")
GROWTH_LEVEL = 1e-6
# Rows of README's table
EXCERPT = 8
# The notebook's own; the others are what a user would install
NOTEBOOK = ["raw-newton", "loop-fused-newton"]
NOTEBOOK_SOLVERS = [OURS, *NOTEBOOK[::-1], "scipy[method=Newton-CG]"]
NOTEBOOK_SIZES = {(10, 2), (200, 10), (2000, 100)}
# M. Boley's notebook "Numba-compatible optimisation", 2025, on its machine
NOTEBOOK_PRINTED = {
    "10 x 2": ["", "20.5 us", "21.6 us", "276 us"],
    "200 x 10": ["", "51.6 us", "57.1 us", "611 us"],
}


def source(folder, df, root="../"):
    """Say where a table is from, and with what it was computed."""
    return f"From {link(folder, root)}: {machine(df)}, {runs_of(df)}."


def size_of(name, facts):
    """A problem in few words: `correlated` 5000 x 100, l2 = 1."""
    dataset, objective = name
    one = facts[name]
    size = f"{one['n_samples']} x {one['n_features']}"
    if one["n_problems"] > 1:
        sizes = dataset.split("sizes=")[1][:-1].replace("x", " x ")
        size = f"{one['n_problems']} of {sizes}"
    penalty = label(objective).removeprefix("L2, ")
    return f"`{dataset.split('[')[0]}` {size}, {penalty}"


def speed_table(df):
    """Ours against the fastest other solver, a line a problem."""
    facts, convex = facts_of(df), has_bound(df)
    levels = LEVELS if convex else LEVELS_NOT_CONVEX
    compared = {
        level: ratios_to(times_to(df, float(level)), OURS) for level in levels
    }
    last = df.groupby([*PROBLEM, "solver_name"])["objective_value"].last()
    memory = (
        df[df["solver_name"] == OURS].groupby(PROBLEM)["objective_peak_memory"]
        .median()
    )
    header = ["problem"]
    for level in levels:
        header += [f"ours to {level}", "fastest other", "ratio"]
    header += [] if convex else ["F of ours over that of the other, less 1"]
    lines = [[*header, "memory / X"]]
    order = sorted(facts, key=lambda name: (
        facts[name]["n_problems"] == 1, facts[name]["nonzero"] < 0.1,
        facts[name]["n_samples"] * facts[name]["n_features"], name,
    ))
    for name in order:
        cells = [size_of(name, facts)]
        for ratios in compared.values():
            one = ratios.loc[name]
            ratio = f"{one['ratio']:.2f}"
            if one["ratio"] == np.inf:
                ratio = "ours alone"
            elif not one["ratio"] >= 1:
                ratio = f"**lost: {ratio}**"
            who = f", `{one['who']}`" if one["who"] else ""
            cells += [
                seconds(one["own"]), f"{seconds(one['other'])}{who}", ratio,
            ]
        if not convex:
            values = [last.get((*name, who)) for who in (OURS, one["who"])]
            cells.append(
                "" if None in values else f"{values[0] / values[1] - 1:.0e}"
            )
        known = memory.get(name, float("nan"))
        lines.append([*cells, f"{known:.1f}" if known == known else ""])
    means = {"all others": []}
    if (df["p_obj_l1"] == 0).all():
        means["without the notebook's Newtons"] = NOTEBOOK
    for name, left_out in means.items():
        cells = [f"**geometric mean, {name}**"]
        for level in levels:
            times = times_to(df, float(level)).drop(
                columns=left_out, errors="ignore"
            )
            ratios = ratios_to(times, OURS)["ratio"]
            cells += [
                f"worst: {ratios.min():.2f}",
                f"lost: {int((ratios < 1).sum())} of {len(ratios)}",
                f"**{geometric_mean(ratios):.2f}**",
            ]
        lines.append([*cells, *[""] * (len(header) + 1 - len(cells))])
    return table(lines)


def growth_table(df):
    """The fitted exponents of n and p, a line a solver."""
    facts, times = facts_of(df), times_to(df, GROWTH_LEVEL)
    columns = {}
    for size, other in (
        ("n_samples", "n_features"), ("n_features", "n_samples"),
    ):
        sizes = pd.Series({name: facts[name][size] for name in times.index})
        fixed = pd.Series({name: facts[name][other] for name in times.index})
        # the problems of the most frequent other size
        chosen = sizes[fixed == fixed.mode()[0]]
        text = (
            f"{size.replace('_', ' ')} from {chosen.min()} to {chosen.max()} "
            f"({other.replace('_', ' ')}: {fixed.mode()[0]})"
        )
        columns[text] = {
            solver: (
                fitted_exponent(chosen, times.loc[chosen.index, solver]),
                times.at[chosen.idxmax(), solver],
            )
            for solver in times
        }
    header = ["solver"]
    for text in columns:
        header += [f"exponent of {text}", "time at the largest"]
    lines = [header]
    for solver in times:
        cells = [f"`{solver}`"]
        for found in columns.values():
            exponent, largest = found[solver]
            cells += [f"{exponent:.2f}", seconds(largest)]
        lines.append(cells)
    return table(lines)


def excerpt(df):
    """README's part of the race: of each data set where ours leads least.

    The closest of them first, `EXCERPT` of them, and the mean of all.
    """
    level = LEVELS[-1]
    facts, ratios = facts_of(df), ratios_to(times_to(df, float(level)), OURS)
    least = ratios.sort_values("ratio", kind="stable")
    least = least[~least.index.get_level_values(0).duplicated()]
    lines = [["problem", "ours", "fastest other", "ratio"]]
    for name, one in least[:EXCERPT].iterrows():
        lines.append([
            size_of(name, facts), seconds(one["own"]),
            f"{seconds(one['other'])}, `{short(one['who'])}`",
            f"{one['ratio']:.2f}",
        ])
    lost = int((ratios["ratio"] < 1).sum())
    lines.append([
        f"**geometric mean of all {len(ratios)}**",
        f"lost: {lost}", "", f"**{geometric_mean(ratios['ratio']):.2f}**",
    ])
    return table(lines)


def race(root=""):
    """README's excerpt and where it is from."""
    folder = newest(config="speed")
    df = read(folder)
    return f"{source(folder, df, root)}\n\n{excerpt(df)}"


def races(results=RESULTS, root="../"):
    """Sum up every race that was published, the newest first."""
    header = ["run", "machine", "problems"]
    for level in LEVELS:
        header += [f"mean to {level}", "worst", "lost"]
    lines = [header]
    for folder in folders(results):
        if not folder.name.endswith(("-speed", "-unseen")):
            continue
        df = read(folder)
        cells = [link(folder, root), machine(df)]
        for level in LEVELS:
            ratios = ratios_to(times_to(df, float(level)), OURS)["ratio"]
            cells += [
                f"{geometric_mean(ratios):.2f}", f"{ratios.min():.2f}",
                int((ratios < 1).sum()),
            ]
        lines.append([*cells[:2], len(ratios), *cells[2:]])
    return table(lines)


def notebook_table(df):
    """The notebook's sizes: alone, in bulk, and what the notebook printed."""
    facts, times = facts_of(df), times_to(df, float(LEVELS[-1]))
    lines = [["time a problem, to " + LEVELS[-1], *NOTEBOOK_SOLVERS]]
    for name in sorted(facts, key=lambda name: facts[name]["n_samples"]):
        one, (dataset, _) = facts[name], name
        if not dataset.startswith(("simulated", "many_small")):
            continue
        n, p = one["n_samples"], one["n_features"]
        if "many_small" in dataset:
            n, p = map(int, dataset.split("sizes=")[1][:-1].split("x"))
        if (n, p) not in NOTEBOOK_SIZES:
            continue
        count = one["n_problems"]
        lines.append([size_of(name, facts)] + [
            seconds(times.at[name, solver] / count)
            for solver in NOTEBOOK_SOLVERS
        ])
    for size, printed in NOTEBOOK_PRINTED.items():
        lines.append([f"{size}, as the notebook printed", *printed])
    return table(lines)


TABLES = {
    "speed": ("speed", speed_table), "unseen": ("unseen", speed_table),
    "speed_l1": ("speed_l1", speed_table),
    "speed_elasticnet": ("speed_elasticnet", speed_table),
    "unseen_sparse": ("unseen_sparse", speed_table),
    "speed_nonconvex": ("speed_nonconvex", speed_table),
    "speed_nonconvex_sparse": ("speed_nonconvex_sparse", speed_table),
    "notebook": ("speed", notebook_table), "growth": ("growth", growth_table),
}


def text_of(which, root="../"):
    """One of `TABLES` of the newest published result, and where from."""
    config, make = TABLES[which]
    if not folders(config=config):
        return f"Not published yet: `make speed CONFIG=configs/{config}.yml`."
    folder = newest(config=config)
    df = read(folder)
    return f"{source(folder, df, root)}\n\n{make(df)}"


def main():
    target = parser(__doc__).parse_args().write
    for which in TABLES:
        show_or_write(target, text_of(which), which)
    show_or_write(target, races(), "races")


if __name__ == "__main__":
    main()
