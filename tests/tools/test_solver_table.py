"""README's table of solvers says what the classes say."""
import pytest

from conftest import ROOT
from harness import SOLVERS
from solver_table import END, START, bounds, row, table


def test_readme_is_up_to_date():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = text.split(START)[1].split(END)[0].strip()
    assert found == table(), "python tools/solver_table.py --write README.md"


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_says_what_it_is(name):
    cells = row(SOLVERS[name], bounds())
    assert name in cells[0]
    assert all(cells[1:3]) and all(cells[-2:]), cells
    # it solves something
    assert any(cells[3:6])
