"""The rooms of the house: who may import whom, how long a function may be."""
import ast
import re

import pytest

from conftest import ROOT, python_files
from exceptions import EXCEPTIONS

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
    # of the player the files of penalties, which anyone may add
    "objective.py": {"problem", "report", "sources", "wiring", PLAYER},
    "solvers": {"wiring", "baselines", "problem", PLAYER},
    "datasets": {"data", "problem", "wiring"},
    "plots": {"report"},
}
#: the one module of the player that any room may import: the checks of data
#: and parameters are one for the function and the benchmark, and no kernel
VALIDATION = "benchmark_utils.fenchel.validation"
#: inside the player, from the ground up: each imports what is before it,
#: and what is beside it on the same floor
FLOORS = [
    {"compilation", "linalg", "penalties", "result"},
    {"datafits", "validation"},
    {"duality", "lbfgs", "line_search", "longer"},
    {"coordinate_descent", "newton"},
    {"select"},
    {"solve"},
    {"fit"},
    {"compile", "estimator"},
]
#: families of methods, which import nothing of each other but this
FAMILIES = FLOORS[3]
ACROSS = {
    ("newton.sparse", "coordinate_descent.dual"),
}
LONGEST, MOST_ARGUMENTS = 80, 8
#: first lines of docstrings that lean on the function above
LEANING = re.compile(r"(The same|It of|As above|Same|Ditto)\b")


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
    """Rooms of benchmark_utils that a file imports, but for VALIDATION."""
    return {
        name.split(".")[1] for name in imports(path)
        if name.startswith("benchmark_utils.")
        and not name.startswith(VALIDATION)
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


def test_no_test_file_imports_another():
    for path in sources(ROOT / "tests"):
        wrong = [
            name for name in imports(path)
            if name.split(".")[0].startswith(("test_", "check_"))
        ]
        assert not wrong, f"{path} imports {wrong}"


def level(name):
    """The floor of a module of the player, and its names below it."""
    parts = name.split(".")[2:]
    for k, floor in enumerate(FLOORS):
        if parts and parts[0] in floor:
            return k, parts
    return None, parts


@pytest.mark.parametrize("path", sources(UTILS / PLAYER), ids=lambda path: (
    path.relative_to(UTILS / PLAYER).as_posix()
))
def test_the_player_imports_what_is_below(path):
    own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    floor, parts = level(own)
    if parts == ["__init__"]:
        floor = len(FLOORS)
    assert floor is not None, f"FLOORS does not know {own}"
    for name in imports(path):
        top = name.split(".")[0]
        if top != "benchmark_utils":
            assert top not in ("benchopt", "tools", "tests"), name
            continue
        other, others = level(name)
        if other is None:
            # the package itself comes with what is imported from it
            assert name == f"benchmark_utils.{PLAYER}", name
            continue
        assert other <= floor, f"{own} imports {name}, which is above it"
        # the package itself comes with what is imported from it
        if parts[0] in FAMILIES and others[1:]:
            assert others[0] not in FAMILIES - {parts[0]} or (
                ".".join(parts[:2]), ".".join(others[:2])
            ) in ACROSS, f"{own} imports {name}"


def functions():
    """(path, its function, its docstring or None) of every function."""
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield path, node, ast.get_docstring(node)


def lines_and_arguments(node, docstring):
    """Lines of the body without its docstring; arguments without `self`."""
    body = node.body[docstring is not None:]
    lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
    given = node.args
    names = [
        one.arg for one in given.posonlyargs + given.args + given.kwonlyargs
    ]
    names += [one.arg for one in (given.vararg, given.kwarg) if one]
    return lines, len(names) - (names[:1] in (["self"], ["cls"]))


def too_large():
    """Functions beyond the limits, {"file.py: function": what they have}."""
    found = {}
    for path, node, docstring in functions():
        lines, arguments = lines_and_arguments(node, docstring)
        if lines > LONGEST or arguments > MOST_ARGUMENTS:
            name = path.relative_to(ROOT).as_posix()
            name = name.removeprefix("benchmark_utils/")
            name = f"{name}: {node.name}"
            found[name] = f"{lines} lines, {arguments} arguments"
    return found


def test_functions_are_small():
    new = {
        name: size for name, size in too_large().items()
        if name not in EXCEPTIONS
    }
    assert not new, (
        f"cut them to {LONGEST} lines and {MOST_ARGUMENTS} arguments"
    )


def test_exceptions_are_needed():
    left = set(EXCEPTIONS) - set(too_large())
    assert not left, "delete them from tests/exceptions.py"


def test_exceptions_are_few_and_have_reasons():
    assert len(EXCEPTIONS) < 10
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())


@pytest.mark.parametrize("folder", ["benchmark_utils/fenchel", "tools"])
def test_docstrings_are_understood_alone(folder):
    leaning = [
        f"{path.relative_to(ROOT)}:{node.lineno} {docstring.splitlines()[0]}"
        for path, node, docstring in functions()
        if path.is_relative_to(ROOT / folder)
        and docstring and LEANING.match(docstring)
    ]
    assert not leaning
