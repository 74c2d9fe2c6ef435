"""Draw README's figure, and write its caption, from the published result.

    python -m tools.page.readme_figure [--write README.md]

A performance profile for each penalty of the newest results/*-full: on what
share of the problems a solver takes at most how many times as long as the
fastest one to a certified suboptimality of 1e-6. The figure goes to
docs/summary.svg.
"""
import matplotlib
import pandas as pd

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from benchmark_utils.report import provenance
from benchmark_utils.report.styles import OURS
from benchmark_utils.report.summary import ALL, PROBLEM
from plots.performance_profile import Plot
from tools import ROOT
from tools.published import newest
from tools.tables.conclusion import facts_of
from tools.tables.markdown import parser, show_or_write

FIGURE = ROOT / "docs" / "summary.svg"
LEVEL = "1e-6"
PENALTIES = ("L2", "L1", "elastic net")
# Curves of a panel: more cannot be told apart
SHOWN = 8


def profiles(df):
    """{penalty: the best variant of each family, the best ones first}."""
    facts = facts_of(df)
    found = {}
    for penalty in PENALTIES:
        problems = [
            name for name in facts if facts[name]["penalty"] == penalty
        ]
        rows = df.set_index(PROBLEM).index.isin(problems)
        if not rows.any():
            continue
        best = {}
        for curve in Plot().plot(df[rows], family=ALL, level=LEVEL):
            best.setdefault(curve["label"].split("[")[0], curve)
        found[penalty] = len(problems), list(best.values())[:SHOWN]
    return found


def draw(df, path):
    """Write the figure of a result as SVG."""
    found = profiles(df)
    families = list(dict.fromkeys(
        curve["label"].split("[")[0]
        for _, curves in found.values() for curve in curves
    ))
    others = [name for name in families if name != OURS]
    palette = plt.get_cmap("tab20").colors
    # the dark ones of each pair first
    palette = palette[::2] + palette[1::2]
    color = dict(zip(others, palette, strict=False)) | {OURS: "black"}
    figure, axes = plt.subplots(
        1, len(found), figsize=(4.2 * len(found), 5.4), sharey=True,
        squeeze=False,
    )
    for axis, (penalty, (count, curves)) in zip(
        axes[0], found.items(), strict=True
    ):
        for curve in curves:
            name = curve["label"]
            family = name.split("[")[0]
            axis.plot(
                curve["x"], curve["y"], color=color[family], label=name,
                lw=2.4 if family == OURS else 1.5,
            )
        axis.set(
            xscale="log", xlim=(1, 100), ylim=(0, 1.02),
            title=f"{penalty}, {count} problems",
            xlabel="time over that of the fastest",
        )
        axis.grid(alpha=0.3)
        axis.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=8,
            frameon=False,
        )
    axes[0, 0].set_ylabel("share of the problems")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def caption(folder):
    """The figure, where it is from, and what to read off it."""
    df = pd.read_parquet(folder / "result.parquet")
    found = provenance.read(df)
    place = f"{folder.parent.name}/{folder.name}"
    return (
        "![Performance profiles by penalty](docs/summary.svg)\n\n"
        f"<sub>[{place}]({place}): {'; '.join(found['processor'])}, "
        f"{'; '.join(found['cores'])} cores, "
        f"{'; '.join(found['numba_threads'])} thread. A curve at height y "
        "above x: on that share of the problems the solver takes at most x "
        f"times as long as the fastest one to a certified {LEVEL}. The best "
        f"variant of the {SHOWN} best families; the page has them all.</sub>"
    )


def main():
    target = parser(__doc__).parse_args().write
    folder = newest()
    # the same result gives the same file
    plt.rcParams["svg.hashsalt"] = "readme"
    draw(pd.read_parquet(folder / "result.parquet"), FIGURE)
    show_or_write(target, caption(folder), "figure")


if __name__ == "__main__":
    main()
