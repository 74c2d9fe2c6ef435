"""Write README's tables of speed from the published results.

    python -m tools.tables.speed_table [--write README.md]

From the newest results/*-speed and results/*-unseen: for every problem the
time of `auto-newton` to a certified suboptimality of 1e-4 and 1e-8, the
fastest of all the others, the ratio, what was lost, and the memory; what only
it reached is in no mean. From the
newest results/*-growth: the exponent of n and of p in the time to 1e-6. No
figure is written by hand.
"""
import re

import numpy as np
import pandas as pd

from benchmark_utils.report import provenance
from benchmark_utils.report.styles import OURS
from benchmark_utils.report.summary import (
    PROBLEM,
    facts_of,
    fitted_exponent,
    geometric_mean,
    ratios_to,
    seconds,
    times_to,
)
from tools.published import newest
from tools.tables.markdown import parser, show_or_write

LEVELS = ("1e-4", "1e-8")
GROWTH_LEVEL = 1e-6
# The notebook's own; the others are what a user would install
NOTEBOOK = ["raw-newton", "loop-fused-newton"]


def source(folder, df):
    """Where a table is from, and with what it was computed."""
    found = provenance.read(df)
    place = f"{folder.parent.name}/{folder.name}"
    counts = df.groupby(PROBLEM)["idx_rep"].nunique()
    few, many = counts.min(), counts.max()
    runs = f"{few}" if few == many else f"{few} to {many}"
    return (
        f"From [{place}]({place}): {'; '.join(found['processor'])}, "
        f"{'; '.join(found['numba_threads'])} thread, median of {runs} runs."
    )


def size_of(name, facts):
    """A problem in few words: `correlated` 5000 x 100, l2 = 1."""
    dataset, objective = name
    one = facts[name]
    size = f"{one['n_samples']} x {one['n_features']}"
    if one["n_problems"] > 1:
        size = f"{one['n_problems']} x {dataset.split('sizes=')[1][:-1]}"
    (l2,) = re.findall(r"l2=([^,\]]+)", objective)
    return f"`{dataset.split('[')[0]}` {size}, l2 = {float(l2):g}"


def speed_table(df):
    """Ours against the fastest other solver, a line a problem."""
    facts = facts_of(df)
    compared = {
        level: ratios_to(times_to(df, float(level)), OURS) for level in LEVELS
    }
    memory = (
        df[df["solver_name"] == OURS].groupby(PROBLEM)["objective_peak_memory"]
        .median()
    )
    lines = [
        "| problem | " + " | ".join(
            f"ours to {level} | fastest other | ratio" for level in LEVELS
        ) + " | memory / X |",
        "|---" * (2 + 3 * len(LEVELS)) + "|",
    ]
    order = sorted(facts, key=lambda name: (
        facts[name]["n_problems"] == 1, facts[name]["nonzero"] < 0.1,
        facts[name]["n_samples"] * facts[name]["n_features"], name,
    ))
    for name in order:
        cells = [size_of(name, facts)]
        for table in compared.values():
            one = table.loc[name]
            ratio = f"{one['ratio']:.2f}"
            if one["ratio"] == np.inf:
                ratio = "ours alone"
            elif not one["ratio"] >= 1:
                ratio = f"**lost: {ratio}**"
            who = f", `{one['who']}`" if one["who"] else ""
            cells += [
                seconds(one["own"]), f"{seconds(one['other'])}{who}", ratio,
            ]
        known = memory.get(name, float("nan"))
        cells.append(f"{known:.1f}" if known == known else "")
        lines.append("| " + " | ".join(cells) + " |")
    for name, left_out in (
        ("all others", []), ("without the notebook's Newtons", NOTEBOOK),
    ):
        cells = [f"**geometric mean, {name}**"]
        for level in LEVELS:
            times = times_to(df, float(level)).drop(
                columns=left_out, errors="ignore"
            )
            ratios = ratios_to(times, OURS)["ratio"]
            cells += [
                f"worst: {ratios.min():.2f}",
                f"lost: {int((ratios < 1).sum())} of {len(ratios)}",
                f"**{geometric_mean(ratios):.2f}**",
            ]
        lines.append("| " + " | ".join([*cells, ""]) + " |")
    return "\n".join(lines)


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
    lines = [
        "| solver | " + " | ".join(
            f"exponent of {text} | time at the largest" for text in columns
        ) + " |",
        "|---" * (1 + 2 * len(columns)) + "|",
    ]
    for solver in times:
        cells = [f"`{solver}`"]
        for found in columns.values():
            exponent, largest = found[solver]
            cells += [f"{exponent:.2f}", seconds(largest)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


TABLES = {
    "speed": speed_table, "unseen": speed_table, "growth": growth_table,
}


def tables():
    """{which: Markdown} of the newest published results."""
    texts = {}
    for which, make in TABLES.items():
        folder = newest(config=which)
        df = pd.read_parquet(folder / "result.parquet")
        texts[which] = f"{source(folder, df)}\n\n{make(df)}"
    return texts


def main():
    target = parser(__doc__).parse_args().write
    for which, text in tables().items():
        show_or_write(target, text, which)


if __name__ == "__main__":
    main()
