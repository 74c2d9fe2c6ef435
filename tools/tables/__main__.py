"""Write every part of the documents that follows from published results.

    python -m tools.tables

`make conclusion` does. Two parts take minutes and have commands of their own:
`python -m tools.tables.dataset_table --write docs/datasets.md` and
`python -m tools.tables.compile_times --write docs/results.md`.
"""
from tools import ROOT
from tools.page import readme_figure
from tools.published import newest
from tools.tables import (
    conclusion,
    config_table,
    reached_table,
    solver_table,
    speed_table,
)
from tools.tables.markdown import write

#: {(document, part): function that returns its text}
PARTS = {
    ("README.md", "answer"): conclusion.answer,
    ("README.md", "race"): speed_table.race,
    ("README.md", "figure"): readme_figure.caption,
    ("docs/results.md", "conclusion"):
        lambda: conclusion.conclude(newest(), "../"),
    ("docs/results.md", "races"): speed_table.races,
    ("docs/results.md", "reached"):
        lambda: reached_table.text_of(newest()),
    ("docs/running.md", "configurations"): config_table.table,
    ("docs/solvers.md", "solvers"): solver_table.table,
} | {
    ("docs/results.md", which): lambda which=which: speed_table.text_of(which)
    for which in speed_table.TABLES
}


def main():
    readme_figure.draw_published()
    for (document, part), text in PARTS.items():
        write(ROOT / document, text(), part)
        print(f"{document}: {part}")


if __name__ == "__main__":
    main()
