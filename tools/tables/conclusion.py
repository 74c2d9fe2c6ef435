"""Say which solver to take for which problem, from published results.

    python -m tools.tables.conclusion [RESULT FOLDER] [--write FILE.md]

With --write, what stands between ``<!-- conclusion: start -->`` and
``<!-- conclusion: end -->`` is replaced. `answer` makes README's table.

A solver's time on a problem is that of its first point whose certified
suboptimality, (F - B) / F with B the best lower bound that any solver reached
on that problem, is at most `LEVEL`; the median over the repetitions, all of
which must reach it. There is one rule: a kind of problems is won by the
solver with the least geometric mean of its times there, where a problem that
it does not solve counts as twice the time limit of a curve (PAR2, as in the
competitions of SAT solvers).
"""
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmark_utils.report.problem_facts import DEFINITIONS, kinds_of
from benchmark_utils.report.styles import OURS, PARTS
from benchmark_utils.report.summary import PROBLEM, ratios_to, times_to
from benchmark_utils.report.summary import facts_of as known_facts
from tools.published import RESULTS, folders, link, machine, newest, read
from tools.tables.markdown import parser, show_or_write, table

LEVEL = 1e-6
PENALTIES = ("L2", "L1", "elastic net", "MCP", "SCAD", "TV")
#: races of a penalty; the newest of each, where all were published
RACES = {
    "L2": ("speed", "unseen"),
    "L1": ("speed_l1", "unseen_sparse"),
    "elastic net": ("speed_elasticnet", "unseen_sparse"),
    "MCP": ("speed_nonconvex", "speed_nonconvex_sparse"),
    "SCAD": ("speed_nonconvex", "speed_nonconvex_sparse"),
}
RULE = (
    "**Rule.** Of each kind of problems the winner is the solver whose times "
    "to a certified suboptimality of 1e-6 have the least geometric mean; that "
    "is (F - B) / F, with B the best lower bound that any solver reached. A "
    "problem that it does not solve counts as twice the time limit. Of a "
    "solver's variants the best one stands for it."
)


NOT_CONVEX = (
    " Where F is not convex (MCP, SCAD) it is to a violation of stationarity "
    "of 1e-6 lambda1 / n."
)


def facts_of(df):
    """The facts of each problem and its penalty, {(dataset, objective): ...}.
    """
    known = df.groupby(PROBLEM).first()
    return {
        name: facts | {"penalty": penalty(known.loc[name])}
        for name, facts in known_facts(df).items()
    }


def penalty(one):
    """Name the penalty of a problem: one of `PENALTIES`, or a file."""
    given = one.get("p_obj_penalty")
    # results from before it have no such column, or an empty one
    if isinstance(given, str) and given != "elasticnet":
        return given.upper() if given.upper() in PENALTIES else given
    l1, l2 = float(one["p_obj_l1"]), float(one["p_obj_l2"])
    return "elastic net" if l1 and l2 else "L1" if l1 else "L2"


def family_of(solver):
    """Name a solver without its variant: `sklearn` of `sklearn[...]`."""
    return solver.split("[")[0]


def short(solver):
    """Name a variant as a reader says it: `skglm ProxNewton`."""
    family, _, variant = solver.rstrip("]").partition("[")
    values = [one.split("=") for one in variant.split(",") if one]
    words = [
        {"True": name, "False": ""}.get(value, value) for name, value in values
    ]
    return " ".join([family, *filter(None, words)])


def rank(times, limit):
    """Rank the solvers of some problems, the best first.

    Parameters
    ----------
    times : pandas.DataFrame
        Of `times_to`; problems that nobody solved are left out, and solvers
        over parts of ours.
    limit : float
        Seconds that a curve was given.

    Returns
    -------
    pandas.DataFrame
        Of each family the best variant: its `ratio`, the geometric mean of
        its times over that of the first; on how many problems it reached the
        level (`reached`) and was the fastest of all (`won`).
    """
    times = times.drop(columns=list(PARTS), errors="ignore")
    times = times[np.isfinite(times).any(axis=1)]
    reached = np.isfinite(times)
    charged = times.where(reached, 2.0 * limit)
    ranked = pd.DataFrame({
        "ratio": np.exp(np.log(charged).mean()),
        "reached": reached.sum(),
        "won": times.eq(times.min(axis=1), axis=0).sum(),
    })
    ranked = ranked[ranked["reached"] > 0].sort_values("ratio", kind="stable")
    ranked = ranked[~ranked.index.map(family_of).duplicated()]
    ranked["ratio"] /= ranked["ratio"].min()
    return ranked


def times_as_long(ratio):
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:.0f}"


def cell(times, limit):
    """Name winner and runner-up in a cell of README's table."""
    ranked = rank(times, limit)
    if ranked.empty:
        return "nobody"
    first = ranked.index[0]
    text = f"**{short(first)}** ({ranked.at[first, 'won']}/{len(times)})"
    missed = len(times) - ranked.at[first, "reached"]
    text += f", {missed} not solved" if missed else ""
    if len(ranked) > 1:
        ratio = times_as_long(ranked["ratio"].iloc[1])
        text += f"<br>{short(ranked.index[1])}: {ratio}x"
    return text


def sentence(which, times, limit):
    """Say who is first on the problems of a kind, and by how much."""
    ranked = rank(times, limit)
    if ranked.empty:
        return f"{which}: no solver reached the level."
    count, parts = len(times), []
    for name, one in ranked[:3].iterrows():
        text = f"`{name}`" if parts else f"**`{name}`**"
        if parts:
            text += f", {times_as_long(one['ratio'])} times the time"
        told = []
        if one["won"] or not parts:
            told.append(f"the fastest on {int(one['won'])} of {count}")
        if one["reached"] < count:
            told.append(f"{int(one['reached'])} of {count} reached")
        text += f" ({', '.join(told)})" if told else ""
        parts.append(text)
    then = f"; then {' and '.join(parts[1:])}" if parts[1:] else ""
    return f"{which}: {parts[0]}{then}."


def chosen(facts, kind, which):
    """The problems of a kind (None: of all) with a penalty."""
    return [
        name for name, one in facts.items() if one["penalty"] == which
        and (kind is None or kind in kinds_of(one))
    ]


def limit_of(folder):
    """Seconds that a curve of a published result was given."""
    return yaml.safe_load((folder / "config.yml").read_text())["timeout"]


def conclude(folder, root=""):
    """The conclusion of one published result, as Markdown."""
    df, limit = read(folder), limit_of(folder)
    times, facts = times_to(df, LEVEL), facts_of(df)
    lines = [
        f"From {link(folder, root)} ({machine(df)}; {runs_of(df)}, {limit} s "
        f"a curve at most): {len(times)} problems, {times.shape[1]} solvers.",
        "", RULE, "",
    ]
    for kind, definition in {None: "of every kind", **DEFINITIONS}.items():
        found = [
            f"  - {sentence(which, times.loc[some], limit)}"
            for which in PENALTIES if (some := chosen(facts, kind, which))
        ]
        if found:
            name = (kind or "all problems").capitalize()
            lines += [f"- **{name}** ({definition})", *found]
    return "\n".join(lines)


def runs_of(df):
    """Say how many repetitions a time is the median of."""
    counts = df.groupby(PROBLEM)["idx_rep"].nunique()
    few, many = counts.min(), counts.max()
    if many == 1:
        return "one run"
    return f"median of {few}{f' to {many}' if few < many else ''} runs"


def sources(results=RESULTS):
    """The published results of each penalty, {penalty: [folder, ...]}.

    From the newest races, where solvers take turns and a time is the median
    of several runs; where none was published, from the newest full run.
    """
    full = newest(results)
    others = {one["penalty"] for one in facts_of(read(full)).values()}
    found = {}
    for which in PENALTIES:
        races = [folders(results, name) for name in RACES.get(which, ())]
        if races and all(races):
            found[which] = [one[0] for one in races]
        elif which in others:
            found[which] = [full]
    return found


def answer(root="", results=RESULTS):
    """README's table: the winner for each kind of problems and penalty."""
    found = sources(results)
    lines = [["", *found]]
    columns, origins = [], {}
    for which, some in found.items():
        df = read(*some)
        limit = max(map(limit_of, some))
        columns.append((which, times_to(df, LEVEL), facts_of(df), limit))
        origin = f"{', '.join(link(one, root) for one in some)}, {runs_of(df)}"
        origins.setdefault(origin, []).append(which)
    for kind in DEFINITIONS:
        cells = [f"**{kind}**"]
        for which, times, facts, limit in columns:
            some = chosen(facts, kind, which)
            cells.append(cell(times.loc[some], limit) if some else "")
        lines.append(cells)
    told = [f"{', '.join(which)}: {origin}" for origin, which in
            origins.items()]
    text = "; ".join(f"{name}: {text}" for name, text in DEFINITIONS.items())
    return "\n\n".join([
        table(lines), losses(results),
        RULE + NOT_CONVEX * bool({"MCP", "SCAD"} & set(found))
        + " A cell: the winner and on how many of the problems it is the "
        "fastest of all; the runner-up and how many times as long it takes.",
        f"<sub>{text[0].upper()}{text[1:]}. {'; '.join(told)}.</sub>",
    ])


def losses(results=RESULTS):
    """Say where our own solver lost: in each race, on L2 in the full run."""
    full, found = newest(results), sources(results)
    lines = []
    for which, some in found.items():
        if some == [full]:
            continue
        runs = [("race", some)] + [("full run", [full])] * (which == "L2")
        texts = [lost_in(name, some, which) for name, some in runs]
        lines.append(
            f"**Lost** by `{OURS}` on {which}: {'; '.join(texts)}."
        )
    return "\n\n".join(lines)


def lost_in(name, some, which):
    """List the problems with a penalty that our own solver lost in a run."""
    df = read(*some)
    times = times_to(df, LEVEL)
    problems = chosen(facts_of(df), None, which)
    ratios = ratios_to(times.loc[problems], OURS)
    lost = ratios[ratios["ratio"] < 1].sort_values("ratio")
    where = ", ".join(
        f"`{dataset.split('[')[0]}` ({1 / one['ratio']:.1f} times slower "
        f"than `{short(one['who'])}`)"
        for (dataset, _), one in lost.iterrows()
    )
    return (
        f"{len(lost)} of {len(ratios)} problems of the {name} of "
        f"{some[0].name[:10]}" + (f": {where}" if where else "")
    )


def main():
    command = parser(__doc__)
    command.add_argument("folder", nargs="?", type=Path)
    arguments = command.parse_args()
    text = conclude((arguments.folder or newest()).resolve(), "../")
    show_or_write(arguments.write, text, "conclusion")


if __name__ == "__main__":
    main()
