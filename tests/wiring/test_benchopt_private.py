"""What is used of benchopt's inside is there, and behind one file."""
import ast

import pytest
from benchopt import BaseDataset

from benchmark_utils.wiring import benchopt_private
from benchmark_utils.wiring.benchopt_private import SET_LATER, USED
from conftest import python_files
from harness import DATASETS, solver

PRIVATE = {
    name for names in USED.values() for name in names
    if name[0] == "_" and name not in ("__setstate__", "_check")
} | set(SET_LATER)
HERE = benchopt_private.__file__


@pytest.mark.parametrize("owner", USED, ids=lambda owner: owner.__name__)
def test_names_are_there(owner):
    missing = [name for name in USED[owner] if not hasattr(owner, name)]
    assert not missing


def test_names_that_are_set_later():
    one = solver("raw-newton")
    benchopt_private.warm_up_again(one)
    assert all(hasattr(one, name) for name in SET_LATER)


def test_data_are_loaded_once():
    class Counted(BaseDataset):
        name = "counted"
        loads = 0

        def get_data(self):
            self.loads += 1
            return {"X": 1}

    dataset = Counted.get_instance()
    assert benchopt_private.raw_data(dataset) == {"X": 1}
    assert benchopt_private.raw_data(dataset) == {"X": 1}
    assert dataset.loads == 1
    assert benchopt_private.file_of(DATASETS["file"]).name == "file.py"


def test_no_other_file_uses_them():
    for path in python_files():
        if str(path) in (HERE, __file__):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in PRIVATE, f"{path}:{node.lineno}"
            elif isinstance(node, ast.ImportFrom):
                if (node.module or "").split(".")[0] == "benchopt":
                    names = [one.name for one in node.names]
                    names += node.module.split(".")
                    assert not [n for n in names if n[0] == "_"], path
            elif isinstance(node, ast.FunctionDef):
                assert node.name not in PRIVATE, f"{path}:{node.lineno}"
