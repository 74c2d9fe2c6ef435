"""A copy of the repository to run, and benchopt as a command."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core.caching import _CacheLocator

from benchmark_utils.fenchel.compilation.cache import folder
from benchmark_utils.sources import use_own_numba_cache

pytest_plugins = ["plan"]
ROOT = Path(__file__).resolve().parent.parent
PARTS = [
    "objective.py", "config.yml", "test_config.py", "benchmark_utils",
    "datasets", "solvers", "plots", "configs", "tools", "CITATION.cff",
]


def python_files():
    """All Python files of the repository."""
    folders = [
        "benchmark_utils", "datasets", "plots", "solvers", "tests", "tools",
    ]
    return sorted(ROOT.glob("*.py")) + [
        path for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def share_compiled_code(copy):
    """Let a copy of the benchmark use what was compiled for this one.

    The folders of `cache.folder` and `sources.use_own_numba_cache`, whose
    names are hashes of the sources. In the latter numba has a folder a room,
    whose name is a hash of the path.
    """
    # numba forgets the folder where a test changes its environment variables
    use_own_numba_cache()
    name = _CacheLocator.get_suitable_cache_subpath
    here = Path(numba.config.CACHE_DIR)
    there = here
    links = {}
    if "NUMBA_CACHE_DIR" not in os.environ:
        there = copy / here.relative_to(ROOT)
        links[copy / folder().relative_to(ROOT)] = folder()
    room = "benchmark_utils/baselines/__init__.py"
    links[there / name(str(copy / room))] = here / name(str(ROOT / room))
    for link, compiled in links.items():
        compiled.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        try:
            link.symlink_to(compiled, target_is_directory=True)
        except OSError:
            # Windows allows links to some users only: then it is compiled
            return


@pytest.fixture(scope="session")
def make_copy():
    """Copy the benchmark into a folder, without outputs and caches."""

    def make(folder):
        target = folder / "benchmark"
        target.mkdir()
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(
                    source, target / part,
                    ignore=shutil.ignore_patterns("__pycache__"),
                )
            else:
                shutil.copy(source, target / part)
        share_compiled_code(target)
        return target

    return make


@pytest.fixture
def copy(make_copy, tmp_path):
    """A fresh copy of the benchmark, without outputs and caches."""
    return make_copy(tmp_path)


@pytest.fixture(scope="session")
def benchopt():
    """Run benchopt in a folder as a user would; return what it printed."""

    def call(folder, *arguments, check=True, **environment):
        # benchopt's own tests call a bare `python`
        path = os.pathsep.join(
            [str(Path(sys.executable).parent), os.environ["PATH"]]
        )
        done = subprocess.run(
            [sys.executable, "-m", "benchopt", *arguments],
            cwd=folder, capture_output=True, text=True, timeout=600,
            env={**os.environ, "PATH": path, **environment},
        )
        output = done.stdout.replace("\r", "\n") + done.stderr
        if check:
            assert done.returncode == 0, output
        return output

    return call
