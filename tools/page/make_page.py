"""Write one self-contained HTML page from a result file.

    python -m tools.page.make_page [RESULT.parquet] [--output PAGE.html]

It is benchopt's page, with all that it would load from the web inside:
plotly.js comes from Python's plotly package, the other parts are small ones
of our own in tools/page/. The page works without a network, can be sent by
mail or put on any web server, and holds the result file for download.
Without an argument the newest file in outputs/ is taken.
"""
import argparse
import base64
import json
import re
import webbrowser
from html import escape
from pathlib import Path

import plotly
from benchopt.benchmark import Benchmark
from benchopt.plotting.generate_html import get_results, render_all_results
from benchopt.plotting.helpers import reset_solver_styles
from benchopt.results import read_results

from benchmark_utils.report import provenance
from tools import ROOT
from tools.published import newest_result, repository

PARTS = Path(__file__).resolve().parent
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# What of the provenance stands at the top, the rest behind a button
AT_THE_TOP = ("date", "processor", "cores", "numba_threads")
HOME = repository()


def make_page(result, target=None, home=HOME):
    """Write the page of one result file.

    Parameters
    ----------
    result : pathlib.Path
        A parquet or csv file of benchopt; it is not changed.
    target : pathlib.Path, optional
        Where to write; beside the result by default.
    home : str
        Where the link "Home" leads.

    Returns
    -------
    pathlib.Path
        The page.
    """
    result = Path(result).resolve()
    target = Path(target or result.with_suffix(".html"))
    benchmark = Benchmark(ROOT)
    config = benchmark.get_plot_config()
    reset_solver_styles()
    found = get_results([result], result.parent, benchmark, config)
    found[0]["json_plots"] = compact(json.loads(found[0]["json_plots"]))
    found[0]["sysinfo"] = system_information(read_results(result))
    (html,) = render_all_results(found, benchmark, home=home)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(self_contained(html, result), encoding="utf-8")
    return target


def system_information(df):
    """The provenance of a result as benchopt's template wants it."""
    texts = {
        name: "; ".join(found)
        for name, found in provenance.read(df).items()
    }
    top, rest = {}, {}
    for name, text in texts.items():
        place = top if name in AT_THE_TOP else rest
        place[provenance.LABELS[name]] = escape(text)
    return {"main": top, "sub": rest, "ter": {}}


def compact(plots):
    """The plots as a JavaScript expression that holds equal lists once.

    The times of a curve come again for every metric: with times of six digits
    and values of twelve, a page of 18 problems and 44 solvers has 2.7 MB
    of data instead of 7.7.
    """
    lists = {}

    def text(value, digits=12):
        if isinstance(value, float):
            value = float(f"{value:.{digits}g}")
        elif isinstance(value, dict):
            return "{" + ",".join(
                f"{json.dumps(name)}:"
                f"{text(one, 6 if name.startswith('x') else 12)}"
                for name, one in value.items()
            ) + "}"
        elif isinstance(value, list):
            inner = "[" + ",".join(text(one, digits) for one in value) + "]"
            if len(inner) < 20:
                return inner
            return f"L[{lists.setdefault(inner, len(lists))}]"
        return json.dumps(value)

    result = text(plots)
    # a list may hold earlier ones, so they are filled in order
    filled = "".join(f"L.push({inner});" for inner in lists)
    return f"(() => {{const L = [];{filled}return {result};}})()"


def self_contained(html, result):
    """Put into a page of benchopt what it would load, and the result file."""
    html = replace(html, r'<link [^>]*href="https://[^>]*>', "", 4)
    for address, parts in [
        (r"[^\"]*plotly", [PLOTLY, PARTS / "plotly_shim.js"]),
        (r"[^\"]*gridjs", [PARTS / "table.js"]),
        (r"[^\"]*anime", []),
    ]:
        html = replace(
            html, rf'<script src="{address}[^>]*></script>',
            "".join(script(path) for path in parts), 1,
        )
    html = replace(
        html, "</head>",
        "<style>\n" + (PARTS / "page.css").read_text() + "</style>\n</head>",
        1,
    )
    data = base64.b64encode(result.read_bytes()).decode()
    html = replace(
        html, rf'href="{re.escape(result.name)}"',
        f'download="{result.name}" '
        f'href="data:application/octet-stream;base64,{data}"', 2,
    )
    loaded = re.findall(
        r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?!data:)[^"]*"', html
    )
    if loaded:
        raise RuntimeError(
            f"The page would still load {loaded}: benchopt's template has "
            "changed, adapt tools/page/make_page.py."
        )
    return html


def replace(html, pattern, by, times):
    """Replace a pattern that must be there `times` times."""
    html, found = re.subn(pattern, lambda match: by, html)
    if found != times:
        raise RuntimeError(
            f"{pattern} is {found} times on benchopt's page, not {times}: "
            "its template has changed, adapt tools/page/make_page.py."
        )
    return html


def script(path):
    text = path.read_text(encoding="utf-8")
    return "<script>\n" + text.replace("</script", "<\\/script") + "</script>"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("result", nargs="?", type=Path)
    parser.add_argument("--output", type=Path, metavar="PAGE.html")
    parser.add_argument(
        "--display", action="store_true", help="open it in the browser"
    )
    arguments = parser.parse_args()
    page = make_page(
        arguments.result or newest_result(), arguments.output
    )
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB)")
    if arguments.display:
        webbrowser.open_new_tab(page.resolve().as_uri())


if __name__ == "__main__":
    main()
