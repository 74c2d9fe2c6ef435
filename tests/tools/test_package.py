"""The solver alone is a package: it needs neither benchopt nor the rest."""
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from conftest import ROOT

NEEDED = ("numpy", "scipy", "numba", "llvmlite")
IMPORT = '''
import sys
import fenchel

assert fenchel.__file__.startswith(sys.prefix), fenchel.__file__
assert not {"benchopt", "sklearn", "benchmark_utils"} & set(sys.modules)
'''
FIT = '''
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((50, 3))
y = np.where(X[:, 0] + rng.standard_normal(50) > 0, "yes", "no")
found = fenchel.fit_logistic(X, np.where(y == "yes", 1.0, -1.0), l2=1.0)
print(found)
'''


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The Python of an environment with the wheel, NumPy, SciPy and numba."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("needs hatchling, of requirements-test.txt")
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--quiet",
         "--no-build-isolation", "--wheel-dir", folder], check=True,
    )
    (wheel,) = folder.glob("fenchel-*.whl")
    with ZipFile(wheel) as content:
        tops = {name.split("/")[0] for name in content.namelist()}
    assert {top.split("-")[0] for top in tops} == {"fenchel"}
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", folder / "venv"],
        check=True,
    )
    python = folder / "venv" / Path(
        "Scripts/python.exe" if os.name == "nt" else "bin/python"
    )
    packages = Path(subprocess.run(
        [python, "-c", "import sysconfig; "
         "print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip())
    with ZipFile(wheel) as content:
        content.extractall(packages)
    # links: what is installed here, without asking an index for it
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.name.removesuffix(".libs") in NEEDED:
            try:
                (packages / path.name).symlink_to(path)
            except OSError:
                # Windows allows links to some users only
                shutil.copytree(path, packages / path.name)
    return python


def run(python, code, folder):
    environment = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "NUMBA"))
    }
    done = subprocess.run(
        [python, "-c", code], cwd=folder, env=environment,
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_is_imported_alone(bare, tmp_path):
    run(bare, IMPORT, tmp_path)


@pytest.mark.slow
def test_fits_alone(bare, tmp_path):
    assert "relative_gap" in run(bare, IMPORT + FIT + IMPORT, tmp_path)
