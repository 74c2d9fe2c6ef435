"""Build the site of all published results, as for GitHub Pages.

    python -m tools.page.make_site [FOLDER]

FOLDER (site/ by default) gets a page, the result file and the configuration
of each folder of results/, and an index with the conclusion from the newest.
It works without a network, too.
"""
import argparse
import json
import re
import shutil
import sys
from html import escape
from pathlib import Path

from tools import ROOT
from tools.page.make_page import HOME, make_page
from tools.published import RESULTS, folders
from tools.tables.conclusion import conclude

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem;
  padding: 1rem; color: #111827; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #d1d5db; padding: .3rem .6rem .3rem 0;
  text-align: left; vertical-align: top; }
code { overflow-wrap: anywhere; font-size: .9em; }
.wide { overflow-x: auto; }
"""


def make_site(target, results=RESULTS):
    """Write the site of the results into the folder `target`."""
    found = folders(results)
    if not found:
        sys.exit("results/ is empty: see tools/page/publish_result.py.")
    target.mkdir(parents=True, exist_ok=True)
    rows = []
    for folder in found:
        there = target / folder.name
        there.mkdir(exist_ok=True)
        for path in folder.iterdir():
            shutil.copyfile(path, there / path.name)
        make_page(
            there / "result.parquet", there / "index.html",
            home="../index.html",
        )
        rows.append(row(folder))
    newest = (folders(results, "full") or found)[0]
    index = page(conclude(newest), "\n".join(rows))
    (target / "index.html").write_text(index, encoding="utf-8")


def row(folder):
    """A line of the index's table."""
    about = json.loads((folder / "provenance.json").read_text())
    versions = "; ".join(about["versions"])
    shown = [
        f"{name} {found[0]}" for name in ("benchopt", "numpy", "scipy")
        if (found := re.findall(rf"\b{name} ([^ ,;]+)", versions))
    ]
    cells = [
        f'<a href="{folder.name}/index.html">{folder.name}</a>',
        escape("; ".join(about["processor"])),
        escape(", ".join([f"Python {about['python'][0]}", *shown])),
        f'<a href="{folder.name}/result.parquet">data</a>, '
        f'<a href="{folder.name}/config.yml">configuration</a>, '
        f'<a href="{folder.name}/provenance.json">provenance</a>',
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def page(conclusion, rows):
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Benchmark of regularized logistic regression</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<h1>Benchmark of regularized logistic regression</h1>
<p><a href="{HOME}">Code, problem, rules</a></p>
<h2>Results</h2>
<div class="wide"><table>
<tr><th>run</th><th>processor</th><th>versions</th><th>files</th></tr>
{rows}
</table></div>
<h2>Which solver for which problem</h2>
{as_html(conclusion)}
</body>
</html>
"""


def as_html(text):
    """What the conclusion has of Markdown: lists, bold, code, links."""
    lines, depth = [], 0
    for line in text.splitlines():
        item = re.match(r"( *)- (.*)", line)
        wanted = len(item[1]) // 2 + 1 if item else 0
        lines += ["<ul>"] * (wanted - depth) + ["</ul>"] * (depth - wanted)
        depth = wanted
        content = escape(item[2] if item else line, quote=False)
        content = re.sub(r"`([^`]+)`", r"<code>\1</code>", content)
        content = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", content)
        content = re.sub(
            r"\[([^\]]+)\]\(results/([^)]+)\)",
            r'<a href="\2/index.html">\1</a>', content,
        )
        tag = "li" if item else "p"
        if content:
            lines.append(f"<{tag}>{content}</{tag}>")
    return "\n".join(lines + ["</ul>"] * depth)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=ROOT / "site"
    )
    folder = parser.parse_args().folder
    make_site(folder)
    print(folder / "index.html")


if __name__ == "__main__":
    main()
