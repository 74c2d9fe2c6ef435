"""README's table of solvers says what the classes say."""
import pytest

from conftest import ROOT
from harness import SOLVERS
from tools.tables.markdown import between
from tools.tables.solver_table import bounds, row, table


def test_readme_is_up_to_date():
    found = between(ROOT / "README.md", "solvers")
    assert found == table(), (
        "python -m tools.tables.solver_table --write README.md"
    )


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_says_what_it_is(name):
    cells = row(SOLVERS[name], bounds())
    assert name in cells[0]
    assert all(cells[1:3]) and all(cells[-2:]), cells
    # it solves something
    assert any(cells[3:6])
