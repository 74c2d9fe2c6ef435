"""Draw the plots of a result file as figures for a paper.

    python -m tools.page.paper_figures [RESULT.parquet] [--output FOLDER]
        [--plot NAME ...] [--formats pdf,svg,png]

One figure for each plot of config.yml and each choice in its menus; where the
views of config.yml fix a choice, for that one only. They show what the page
shows: the plots' own data and colours, the views' scales and quantiles. What
has no data is left out; a table comes as a CSV file as well. Without a result
file the newest one in outputs/ is taken, without a folder one beside it.
"""
import argparse
import re
import sys
from hashlib import sha256
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from benchopt.benchmark import Benchmark
from benchopt.plotting import generate_matplotlib
from benchopt.plotting.helpers import reset_solver_styles
from benchopt.results import read_results
from benchopt.utils.parametrized_name_mixin import product_param

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.backend_bases import FigureCanvasBase

from benchmark_utils.report import provenance, summary
from benchmark_utils.wiring.benchopt_private import pages_of
from tools import ROOT
from tools.published import newest_result

FORMATS = ("pdf", "svg", "png")
CAPTION = ("date", "processor", "cores", "numba_threads")
# inches, about a page's text; points; a letter's mean width over its height
WIDTH, SIZE, SMALL, LETTER = 7.0, 8, 6, 0.58
# the first nine are plotly's, as on the page
MARKERS = "osDPX^v<>dphH8*"
STYLE = {
    # TrueType, since journals refuse Type 3, and files that do not change
    "pdf.fonttype": 42, "ps.fonttype": 42, "svg.hashsalt": "figures",
    "font.size": SIZE, "savefig.bbox": "tight", "savefig.dpi": 200,
    "axes.grid": True, "axes.axisbelow": True, "grid.alpha": 0.4,
    "grid.linewidth": 0.5,
}


def paper_figures(result, folder=None, kinds=None, formats=FORMATS):
    """Write the figures of a result file; yield the files of each.

    Parameters
    ----------
    result : pathlib.Path
        A parquet or csv file of benchopt; it is not changed.
    folder : pathlib.Path, optional
        Where to write; beside the result by default.
    kinds : list of str, optional
        Names of plots; those of config.yml by default.
    formats : sequence of str
        Endings that Matplotlib knows.
    """
    check("format", formats, FigureCanvasBase.get_supported_filetypes())
    result = Path(result)
    if not result.is_file():
        sys.exit(f"There is no result file {result}.")
    df = read_results(result)
    check("column (is this a result?)", [*summary.PROBLEM, "solver_name"], df)
    folder = Path(folder or result.with_name(f"{result.stem}_figures"))
    for key, page in pages(df, kinds):
        folder.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(STYLE):
            files = save(page, folder / file_name(key), formats)
        yield files


def pages(df, kinds=None):
    """What is to be drawn: pairs of a key and benchopt's data of a plot.

    With the view's `scale` and `with_quantiles`, a `caption` and, for a plot
    of one problem, the solvers by `rank`.
    """
    benchmark = Benchmark(ROOT)
    config = benchmark.get_plot_config()
    plots = {plot.name: plot for plot in benchmark.get_plots()}
    ranks, captions = solvers_by_rank(df), {None: caption(df)}
    for problem, rows in df.groupby(summary.PROBLEM):
        captions[problem] = caption(rows)
    reset_solver_styles()
    kinds = kinds or config.get("plots", list(plots))
    check("plot", kinds, plots)
    for kind in kinds:
        plot = plots[kind]
        views = [
            view for view in config.get("plot_configs", {}).values()
            if view.get("plot_kind") == kind
        ] or [{}]
        plot.options = plot.options | {
            name: list({view[f"{kind}_{name}"]: None for view in views})
            for name in plot.options
            if all(f"{kind}_{name}" in view for view in views)
        }
        data, options = pages_of(plot, df)
        chosen = product_param(options)
        for (key, page), choice in zip(data.items(), chosen, strict=True):
            problem = (choice.get("dataset"), choice.get("objective"))
            page |= views[0] | {
                "caption": captions.get(problem, captions[None]),
                "rank": ranks.get(problem, []),
            }
            # a curve may have no points
            if any(one["x"] if "x" in one else one for one in page["data"]):
                yield key, page


def check(what, wanted, known):
    """Stop where something is wanted that there is not."""
    for name in set(wanted) - set(known):
        sys.exit(f"No {what} {name!r}: there are {', '.join(sorted(known))}.")


def solvers_by_rank(df):
    """{problem: its solvers}, by the time to 1e-6, then by what they reached.
    """
    times, reached = summary.times_to(df, 1e-6), summary.best_reached(df)
    return {
        problem: pd.DataFrame(
            {"time": times.loc[problem], "reached": reached.loc[problem]}
        ).dropna().sort_values(["time", "reached"]).index.tolist()
        for problem in times.index
    }


def caption(df):
    """When and on what a result was computed, as on top of the page."""
    found = provenance.read(df)
    found.setdefault("date", sorted(df["run_date"].str[:10].unique()))
    return "; ".join(
        f"{provenance.LABELS[name]}: {', '.join(found[name])}"
        for name in CAPTION if name in found
    )


def file_name(key):
    """A name that is safe everywhere, for each key another one.

    It loses what is no letter or digit and the end of a long key, and some
    systems lose capitals: a hash tells such keys apart.
    """
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", key)[:190].strip("-_")
    return f"{readable}-{sha256(key.encode()).hexdigest()[:10]}"


def draw(page):
    """The figure of a plot."""
    own = {"scatter": curves, "bar_chart": bars, "table": table}
    if page["type"] not in own:
        # no plot of ours: benchopt's figure
        theirs = getattr(generate_matplotlib, f"get_plot_{page['type']}")
        figure = theirs(page | {"title": plain(page["title"])})
        figure.supxlabel(plain(page["caption"]), y=-0.02, size=SMALL)
        return figure
    # the axes fill the figure, what is around them is in its margins
    axis = plt.figure().add_axes((0, 0, 1, 1))
    own[page["type"]](axis, page)
    # of an axis that is less than a decade long
    axis.tick_params(which="minor", labelsize=5)
    axis.annotate(
        plain(page["caption"]), (0.5, 1), (0, 5), "axes fraction",
        "offset points", ha="center", size=SMALL, color="0.35",
    )
    axis.set_title(plain(page["title"]), pad=2.5 * SMALL, size=SIZE)
    return axis.figure


def curves(axis, page):
    axis.figure.set_size_inches(WIDTH, 0.6 * WIDTH)
    rank = {name: k for k, name in enumerate(page["rank"])}
    found = sorted(
        page["data"], key=lambda one: rank.get(one["label"], len(rank))
    )
    for k, one in enumerate(found):
        marker = one.get("marker")
        if isinstance(marker, int):
            marker = MARKERS[marker % len(MARKERS)]
        # the best on top
        style = dict(color=one["color"], zorder=3 - k / len(found))
        axis.plot(
            one["x"], one["y"], "-" if marker else "--", marker=marker,
            label=plain(one["label"]), lw=1.1, ms=3.5, **style,
        )
        if page.get("with_quantiles") and "x_low" in one:
            axis.fill_betweenx(
                one["y"], one["x_low"], one["x_high"], alpha=0.2, lw=0, **style
            )
    scale = page.get("scale", "loglog")
    axis.set(
        xlabel=plain(page["xlabel"]), ylabel=plain(page["ylabel"]),
        xscale="log" if scale in ("loglog", "semilog-x") else "linear",
        yscale="log" if scale in ("loglog", "semilog-y") else "linear",
    )
    letters = max(len(one["label"]) for one in found) + 3
    axis.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.11), fontsize=SMALL,
        frameon=False, borderaxespad=0, handlelength=3,
        ncols=max(1, int(WIDTH * 72 / (LETTER * SMALL * letters))),
    )


def bars(axis, page):
    found = page["data"]
    axis.figure.set_size_inches(0.7 * WIDTH, 0.3 + 0.16 * len(found))
    # The page greys what has a text, the solvers that stopped short. Where
    # all bars have one, it is a note.
    note = all(one.get("text") for one in found)
    for k, one in enumerate(found):
        text, end = one.get("text", ""), float(np.median(one["y"]))
        axis.barh(k, end, color=one["color"] if note or not text else "0.8")
        axis.plot(one["y"], [k] * len(one["y"]), "|", color="0")
        axis.annotate(
            plain(text), (end, k), (4, 0), textcoords="offset points",
            va="center", size=SMALL,
        )
    if any(one.get("text") for one in found):
        axis.margins(x=0.35)
    names = [plain(one["label"]) for one in found]
    axis.set_yticks(range(len(found)), names, size=SMALL)
    scale = page.get("scale", "linear")
    axis.set(
        xscale="linear" if scale in ("linear", "semilog-x") else "log",
        ylim=(len(found) - 0.4, -0.6), xlabel=plain(page["ylabel"]),
    )
    axis.grid(False, axis="y")


def table(axis, page):
    texts = [page["columns"]] + [
        [f"{one:.3g}" if isinstance(one, float) else str(one) for one in row]
        for row in page["data"]
    ]
    letters = [3 + max(map(len, column)) for column in zip(*texts)]
    ends = np.cumsum(letters) * LETTER * SMALL / 72
    # numbers stand under each other by their ends
    right = [
        any(isinstance(one, (int, float)) for one in column)
        for column in zip(*page["data"])
    ]
    axis.figure.set_size_inches(ends[-1], 0.15 * len(texts))
    axis.set(xlim=(0, ends[-1]), ylim=(len(texts), 0))
    axis.axis("off")
    for k, row in enumerate(texts):
        for j, text in enumerate(row):
            x = ends[j] - 0.1 if right[j] else ends[j - 1] if j else 0
            axis.text(
                x, k + 0.5, plain(text), size=SMALL, va="center",
                ha="right" if right[j] else "left",
                weight="normal" if k else "bold",
            )
    axis.hlines([0, 1, len(texts)], 0, ends[-1], "0", lw=0.7, clip_on=False)


def plain(text):
    """A text in which a dollar begins no formula."""
    return str(text).replace("$", r"\$")


def save(page, stem, formats):
    # no dates, so that the same result gives the same file
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    files = [stem.with_name(f"{stem.name}.{ending}") for ending in formats]
    figure = draw(page)
    for file, ending in zip(files, formats, strict=True):
        figure.savefig(file, metadata=metadata.get(ending))
    plt.close(figure)
    if page["type"] == "table":
        files.append(stem.with_name(f"{stem.name}.csv"))
        data = pd.DataFrame(page["data"], columns=page["columns"])
        data.to_csv(files[-1], index=False)
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("result", nargs="?", type=Path)
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    parser.add_argument("--plot", nargs="+", metavar="NAME")
    parser.add_argument("--formats", default=",".join(FORMATS))
    arguments = parser.parse_args()
    for files in paper_figures(
        arguments.result or newest_result(), arguments.output,
        arguments.plot, arguments.formats.split(","),
    ):
        print(*files, sep="\n", flush=True)


if __name__ == "__main__":
    main()
