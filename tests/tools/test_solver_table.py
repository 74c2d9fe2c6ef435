"""The table of solvers says what the classes say, README names them."""
import pytest

from conftest import ROOT
from harness import DATASETS, SOLVERS
from tools.tables.solver_table import bounds, row

README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", [*SOLVERS, *DATASETS])
def test_readme_names_it(name):
    assert f"`{name}`" in README, f"add `{name}` to a list of README.md"


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_says_what_it_is(name):
    cells = row(SOLVERS[name], bounds())
    assert name in cells[0]
    assert all(cells[1:3]) and all(cells[-2:]), cells
    # it solves something
    assert any(cells[3:6])


def test_ours_takes_every_separable_penalty():
    found = SOLVERS["auto-newton"].get_instance().penalties
    assert {"l2", "l1", "elasticnet", "mcp", "scad"} <= set(found)
    assert "tv" not in found
