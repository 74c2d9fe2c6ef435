"""Read and replace the parts of documents that are computed.

A part stands between ``<!-- name: start -->`` and ``<!-- name: end -->``.
"""
import argparse
import sys
from pathlib import Path


def between(path, name):
    """Read what stands between the markers of a part of a file."""
    return _split(path, name)[1].strip("\n")


def write(path, text, name):
    """Replace what stands between the markers of a part of a file."""
    before, _, after = _split(path, name)
    path.write_text(
        f"{before}<!-- {name}: start -->\n{text}\n<!-- {name}: end -->{after}",
        encoding="utf-8",
    )


def _split(path, name):
    text = path.read_text(encoding="utf-8")
    if f"<!-- {name}: start -->" not in text:
        sys.exit(f"{path} has no part <!-- {name}: start -->.")
    before, rest = text.split(f"<!-- {name}: start -->")
    return before, *rest.split(f"<!-- {name}: end -->")


def table(rows):
    """Join rows of cells into a table, a rule under the first."""
    head, *body = rows
    return "\n".join(
        f"| {' | '.join(map(str, cells))} |"
        for cells in [head, ["---"] * len(head), *body]
    )


def parser(document):
    """Parse the command line of a table: --write FILE.md.

    `document` is the docstring of the module.
    """
    made = argparse.ArgumentParser(description=document.split("\n")[0])
    made.add_argument("--write", type=Path, metavar="FILE.md")
    return made


def show_or_write(target, text, name):
    """Print a part, or write it into the file `target`."""
    if target is None:
        print(text)
    else:
        write(target, text, name)
