"""Print the table of configurations, read from their first lines.

    python -m tools.tables.config_table [--write docs/running.md]

With --write, what stands between ``<!-- configurations: start -->`` and
``<!-- configurations: end -->`` is replaced.
"""
from itertools import takewhile

from tools import ROOT
from tools.tables.markdown import parser, show_or_write
from tools.tables.markdown import table as table_of

CONFIGS = ROOT / "configs"


def comment(path):
    """Read the comment at the top of a configuration as one line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line.lstrip("# ") for line in comments)


def table():
    """The table, as Markdown."""
    paths = sorted(CONFIGS.rglob("*.yml"))
    return table_of([["configuration", "what it runs"], *(
        [f"`{path.relative_to(ROOT).as_posix()}`", comment(path)]
        for path in paths
    )])


def main():
    show_or_write(
        parser(__doc__).parse_args().write, table(), "configurations"
    )


if __name__ == "__main__":
    main()
