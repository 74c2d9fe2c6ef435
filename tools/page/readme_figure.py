"""Draw README's figure, and write its caption, from the published results.

    python -m tools.page.readme_figure [--write README.md]

A performance profile for each penalty, of the results that README's table is
from (tools/tables/conclusion.py): on what share of the problems a solver takes
at most how many times as long as the fastest one to a certified suboptimality
of 1e-6. The figure goes to docs/summary.svg.
"""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from benchmark_utils.report.styles import OURS
from benchmark_utils.report.summary import ALL, PROBLEM
from plots.performance_profile import Plot
from tools import ROOT
from tools.published import link, machine, read
from tools.tables.conclusion import (
    chosen,
    facts_of,
    family_of,
    short,
    sources,
)
from tools.tables.markdown import parser, show_or_write

FIGURE = ROOT / "docs" / "summary.svg"
LEVEL = "1e-6"
# Curves of a panel: more cannot be told apart
SHOWN = 8


def profiles(df, which):
    """Curves of a penalty: the best variant of each family, in order."""
    problems = chosen(facts_of(df), None, which)
    rows = df.set_index(PROBLEM).index.isin(problems)
    best = {}
    for curve in Plot().plot(df[rows], family=ALL, level=LEVEL):
        best.setdefault(family_of(curve["label"]), curve)
    return len(problems), list(best.values())[:SHOWN]


def draw(found, path):
    """Write the figure of {penalty: `profiles`} as SVG."""
    families = list(dict.fromkeys(
        family_of(curve["label"])
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
            family = family_of(curve["label"])
            axis.plot(
                curve["x"], curve["y"], color=color[family],
                label=short(curve["label"]), lw=2.4 if family == OURS else 1.5,
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


def draw_published():
    """Draw the figure of the newest published results."""
    # the same results give the same file
    plt.rcParams["svg.hashsalt"] = "readme"
    draw({
        which: profiles(read(*some), which)
        for which, some in sources().items()
    }, FIGURE)


def caption(root=""):
    """The figure, where it is from, and what to read off it."""
    origins = {}
    for which, some in sources().items():
        named = ", ".join(link(one, root) for one in some)
        origins.setdefault(f"{named} on {machine(read(some[0]))}", []).append(
            which
        )
    told = "; ".join(
        f"{', '.join(which)}: {origin}" for origin, which in origins.items()
    )
    return (
        f"![Performance profiles by penalty]({root}docs/summary.svg)\n\n"
        "<sub>A curve at height y above x: on that share of the problems the "
        "solver takes at most x times as long as the fastest one to a "
        f"certified {LEVEL}; the best variant of the {SHOWN} best families. "
        f"{told}.</sub>"
    )


def main():
    target = parser(__doc__).parse_args().write
    draw_published()
    show_or_write(target, caption(), "figure")


if __name__ == "__main__":
    main()
