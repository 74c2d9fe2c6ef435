"""A library that is not installed costs a line, and nothing else."""
import pytest

from benchmark_utils.wiring.libraries import Library

SOLVER = '''
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library

with Library("pip install it") as needs:
    import no_such_library


class Solver(LogisticSolver):
    name = "absent"
    needs = needs
'''


def test_missing(capsys):
    with Library("pip install it") as needs:
        import no_such_library  # noqa: F401
    said = (
        "absent is not installed (No module named 'no_such_library'): "
        "pip install it"
    )
    assert [needs.check("absent") for _ in range(3)] == [False] * 3
    assert capsys.readouterr().out == said + "\n"
    with pytest.raises(ImportError) as error:
        needs.check("absent", raise_on_missing=True)
    assert str(error.value) == said


def test_installed(capsys):
    with Library("pip install numpy") as needs:
        import numpy  # noqa: F401
    assert needs.check("numpy", raise_on_missing=True)
    assert capsys.readouterr().out == ""


def test_other_errors_are_errors():
    with pytest.raises(ZeroDivisionError), Library("pip install it"):
        1 / 0


def test_run_without_it(copy, benchopt):
    (copy / "solvers" / "absent.py").write_text(SOLVER)
    output = benchopt(
        copy, "run", ".", "-s", "absent", "-s", "raw-newton", "-d",
        "simulated[n_samples=10,n_features=2]", "-n", "5", "--no-plot",
        "--no-display", BENCHOPT_RAISE_INSTALL_ERROR="0",
    )
    assert "Traceback" not in output
    assert output.count("absent is not installed (No module named") == 1
    assert "Saving result" in output
