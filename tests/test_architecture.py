"""The rooms of the house: who may import whom, how long a function may be."""
import ast

import pytest

from conftest import ROOT

UTILS = ROOT / "benchmark_utils"
PLAYER = "fenchel"
#: rooms of benchmark_utils, and the rooms that each may import; "fenchel" is
#: the player's public names, and "sources" the hash
ROOMS = {
    "problem": set(),
    "wiring": {"problem"},
    "baselines": {"problem", "wiring", PLAYER},
    "data": {"problem"},
    "report": {"sources"},
    PLAYER: set(),
}
FOLDERS = {
    "objective.py": {"problem", "report", "sources", "wiring"},
    "solvers": {"wiring", "baselines", "problem", PLAYER},
    "datasets": {"data", "problem"},
    "plots": {"report"},
}
#: inside the player, from the ground up: each imports what is before it
FLOORS = [
    {"result", "linalg", "penalties"},
    {"datafits"},
    {"line_search", "lbfgs", "duality", "conjugate_gradient"},
    {"coordinate_descent", "newton", "stochastic"},
    {"select"},
    {"fit"},
    {"path"},
    {"estimator"},
]
LONGEST, MOST_ARGUMENTS = 80, 8


def imports(path):
    """Modules that a file imports, dotted, relative ones resolved."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parts[:len(parts) - node.level] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)


def rooms_of(path):
    """Rooms of benchmark_utils that a file imports."""
    return {
        name.split(".")[1] for name in imports(path)
        if name.startswith("benchmark_utils.")
    }


def sources(folder):
    return [folder] if folder.suffix else sorted(folder.rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_it_may(room):
    for path in sources(UTILS / room):
        wrong = rooms_of(path) - ROOMS[room] - {room}
        assert not wrong, f"{path} imports {wrong}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_what_it_may(folder):
    for path in sources(ROOT / folder):
        wrong = rooms_of(path) - FOLDERS[folder]
        assert not wrong, f"{path} imports {wrong}"
