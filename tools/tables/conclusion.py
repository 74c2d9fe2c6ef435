"""Write README's conclusion from the newest result, every sentence computed.

    python -m tools.tables.conclusion [RESULT FOLDER] [--write README.md]

With --write, what stands between ``<!-- conclusion: start -->`` and
``<!-- conclusion: end -->`` is replaced.

A solver's time on a problem is that of its first point whose certified
suboptimality, (F - B) / F with B the best lower bound that any solver reached
on that problem, is at most `LEVEL`; the median over the repetitions, all of
which must reach it. A kind of problems is won by the solver that reaches the
level on most of its problems; among equals, by the geometric mean of its
times over the fastest solver's.
"""
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmark_utils.report import provenance
from benchmark_utils.report.problem_facts import DEFINITIONS, kinds_of
from benchmark_utils.report.summary import PROBLEM, times_to
from benchmark_utils.report.summary import facts_of as known_facts
from tools.published import newest
from tools.tables.markdown import parser, show_or_write

LEVEL = 1e-6


def facts_of(df):
    """The facts of each problem and its penalty, {(dataset, objective): ...}.
    """
    known = df.groupby(PROBLEM).first()
    return {
        name: facts | {"penalty": penalty(known.loc[name])}
        for name, facts in known_facts(df).items()
    }


def penalty(one):
    l1, l2 = float(one["p_obj_l1"]), float(one["p_obj_l2"])
    return "elastic net" if l1 and l2 else "L1" if l1 else "L2"


def rank(times):
    """Solvers of some problems, the best first.

    Returns
    -------
    pandas.DataFrame
        For each solver that reached the level on one of them: on how many it
        did (`reached`), on how many it was the fastest (`won`), and the
        geometric mean of its times over the fastest ones there (`ratio`).
    """
    ratios = times.div(times.min(axis=1), axis=0)
    finite = ratios.where(np.isfinite(ratios))
    ranked = pd.DataFrame({
        "reached": finite.notna().sum(),
        "won": (finite == 1).sum(),
        "ratio": np.exp(np.log(finite).mean()),
    })
    return ranked[ranked["reached"] > 0].sort_values(
        ["reached", "ratio"], ascending=[False, True]
    )


def sentence(kind, times):
    """Who is first on the problems of a kind, and by how much."""
    solved = times[np.isfinite(times).any(axis=1)]
    if solved.empty:
        return f"{kind}: no solver reached the level."
    ranked = rank(solved)
    first = ranked.index[0]
    won, reached = (int(ranked.at[first, what]) for what in ("won", "reached"))
    count = len(times)
    text = f"{kind}: **`{first}`**, the fastest on {won} of {count}"
    if reached < count:
        text += f" (it reached the level on {reached})"
    if len(ranked) > 1:
        text += "; " + comparison(ranked, solved)
    return text + "."


def comparison(ranked, times):
    """How the second compares with the first where both got there."""
    first, second = ranked.index[:2]
    ratio = times[second] / times[first]
    both = ratio[np.isfinite(ratio) & np.isfinite(times[second])]
    if both.empty:
        return f"then `{second}`"
    mean = np.exp(np.log(both).mean())
    if 1 / 1.1 < mean < 1.1:
        return f"`{second}` is about as fast"
    where = " where both reach it" if len(both) < len(times) else ""
    return f"then `{second}`, {said(mean)} the time{where}"


def said(ratio):
    return f"{ratio:.1f} times" if ratio < 9.95 else f"{ratio:.0f} times"


def lost(times):
    """Who did not reach the level, and who took longest."""
    n_run = times.notna().sum()
    missed = np.isinf(times).sum()
    worst = missed[missed > 0].sort_values(ascending=False, kind="stable")
    lines = []
    often = worst[worst > 1]
    if len(often):
        named = ", ".join(
            f"`{name}` ({number} of {n_run[name]})"
            for name, number in often.items()
        )
        lines.append(f"Did not reach the level on several problems: {named}.")
    if len(worst) > len(often):
        named = ", ".join(f"`{name}`" for name in worst.index[len(often):])
        lines.append(f"Did not reach it on one problem: {named}.")
    if worst.empty:
        lines.append("Every solver reached the level on all its problems.")
    ranked = rank(times[np.isfinite(times).any(axis=1)])
    complete = ranked[missed[ranked.index] == 0].sort_values("ratio")
    if len(complete) > 1:
        name, ratio = complete.index[-1], complete["ratio"].iloc[-1]
        lines.append(
            f"The slowest of those that always did is `{name}`, in geometric "
            f"mean {said(ratio)} the fastest solver's time."
        )
    return " ".join(lines)


def conclude(folder):
    """The conclusion of a published result, as Markdown."""
    df = pd.read_parquet(folder / "result.parquet")
    config = yaml.safe_load((folder / "config.yml").read_text())
    times, facts = times_to(df, LEVEL), facts_of(df)
    found = provenance.read(df)
    lines = [
        f"From [{folder.parent.name}/{folder.name}]"
        f"({folder.parent.name}/{folder.name}) "
        f"({'; '.join(found['processor'])}, {'; '.join(found['cores'])} "
        f"cores, {'; '.join(found['numba_threads'])} thread; "
        f"{timing(df, config)}): {len(times)} problems, "
        f"{times.shape[1]} solvers, time to a certified relative "
        f"suboptimality of {LEVEL:.0e}.".replace("e-0", "e-"),
        "",
    ]
    groups = {"All": "all problems"} | {
        name.capitalize(): text for name, text in DEFINITIONS.items()
    }
    for name, definition in groups.items():
        of_kind = [
            problem for problem in times.index
            if name == "All" or name.lower() in kinds_of(facts[problem])
        ]
        if not of_kind:
            continue
        lines.append(f"- **{name}** ({definition})")
        for which in ("L2", "L1", "elastic net"):
            chosen = [
                one for one in of_kind if facts[one]["penalty"] == which
            ]
            if chosen:
                some = times.loc[chosen].dropna(axis=1, how="all")
                lines.append(f"  - {sentence(which, some)}")
    lines.append(f"- **What lost.** {lost(times)}")
    return "\n".join(lines)


def timing(df, config):
    repetitions = df["idx_rep"].nunique()
    text = "one run" if repetitions == 1 else f"median of {repetitions} runs"
    return f"{text}, {config['timeout']} s a curve at most"


def main():
    command = parser(__doc__)
    command.add_argument("folder", nargs="?", type=Path)
    arguments = command.parse_args()
    text = conclude((arguments.folder or newest()).resolve())
    show_or_write(arguments.write, text, "conclusion")


if __name__ == "__main__":
    main()
