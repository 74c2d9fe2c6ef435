"""What a result was computed with, recorded in the result itself.

benchopt records the processor, the memory, the operating system and the
versions of NumPy and SciPy in every row. What else decides a time stands once
a curve, as a JSON text in the column `final_results`: benchopt writes it when
the curve is computed and keeps it in its cache, so that a curve that comes
from the cache still tells what *it* was computed with.
"""
import json
import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from datetime import datetime, timezone
from functools import lru_cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

import llvmlite.binding
import numba
import pandas as pd
from threadpoolctl import threadpool_info

from benchmark_utils.sources import OF_A_CURVE, sources_hash

_ROOT = Path(__file__).resolve().parents[2]
COLUMN = "final_results"
# How a reader knows them, in the order of the page
LABELS = {
    "date": "computed on",
    "processor": "processor",
    "microarchitecture": "microarchitecture (LLVM's name)",
    "cores": "cores",
    "memory": "memory [GB]",
    "platform": "platform",
    "numba_threads": "threads (numba)",
    "blas": "BLAS",
    "openmp": "OpenMP",
    "svml": "numba with Intel SVML",
    "environment": "environment variables",
    "python": "Python",
    "git": "git commit",
    "sources": "hash of benchmark_utils",
    "versions": "packages",
}
_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE",
    "MKL_NUM_THREADS", "MKL_CBWR", "NUMBA_NUM_THREADS", "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES", "NUMBA_DISABLE_JIT", "NUMBA_DISABLE_INTEL_SVML",
)


def record(**more):
    """The provenance of a curve that was computed just now, as JSON."""
    return json.dumps(more | {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "microarchitecture": llvmlite.binding.get_host_cpu_name(),
        "numba_threads": numba.get_num_threads(),
        "blas": _libraries("blas"),
        "openmp": _libraries("openmp"),
        "svml": bool(numba.config.USING_SVML),
        "environment": {
            name: os.environ[name] for name in _VARIABLES
            if name in os.environ
        },
        "python": platform.python_version(),
        "git": git_state(_ROOT),
        "sources": sources_hash(*OF_A_CURVE),
        "versions": loaded_versions(),
    }, sort_keys=True)


def _libraries(kind):
    """One line a library: whose it is, its version, kernels and threads."""
    lines = []
    for one in threadpool_info():
        if one["user_api"] != kind:
            continue
        words = [
            # numpy.libs, scipy.libs: who brought it along
            Path(one["filepath"]).parent.name, one["internal_api"],
            one["version"], one.get("architecture"),
            one.get("threading_layer"),
        ]
        threads = one["num_threads"]
        words.append(f"{threads} thread" + "s" * (threads != 1))
        lines.append(" ".join(str(word) for word in words if word))
    return sorted(lines)


@lru_cache
def git_state(folder):
    """The commit of a folder, with "-dirty" where a file was edited.

    None where the folder is not the top of a git repository, or git is not
    installed.
    """
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    done = subprocess.run(
        [git, "describe", "--always", "--dirty", "--abbrev=12",
         "--exclude=*"],
        cwd=folder, capture_output=True, text=True,
    )
    return done.stdout.strip() if done.returncode == 0 else None


def loaded_versions():
    """The versions of all packages that are imported, {name: version}."""
    names = {
        package
        for module in {name.partition(".")[0] for name in sys.modules}
        for package in _distributions().get(module, ())
    }
    return {name: version(name) for name in sorted(names, key=str.lower)}


@lru_cache
def _distributions():
    return packages_distributions()


def read(df):
    """What the curves of a result were computed with.

    Parameters
    ----------
    df : pandas.DataFrame
        A result of benchopt.

    Returns
    -------
    dict
        A list of texts for each key of `LABELS` that is known: one where all
        curves agree, else each with the number of its curves, the most
        frequent first.
    """
    counts = {name: Counter() for name in LABELS}
    for curve in _one_row_a_curve(df).to_dict("records"):
        recorded = json.loads(curve[COLUMN]) if curve[COLUMN] else {}
        recorded |= {
            "processor": curve["system-processor"],
            "cores": curve["system-cpus"],
            "memory": curve["system-ram (GB)"],
            "platform": f"{curve['platform']} {curve['platform-release']} "
            f"{curve['platform-architecture']}",
        }
        for name in LABELS:
            if name in recorded:
                counts[name][_text(recorded[name])] += 1
    return {
        name: list(found) if len(found) == 1 else [
            f"{text} ({number} curves)"
            for text, number in found.most_common()
        ]
        for name, found in counts.items() if found
    }


def _one_row_a_curve(df):
    names = ["dataset_name", "objective_name", "solver_name", "idx_rep"]
    last = df.groupby(names, sort=False).tail(1).copy()
    if COLUMN not in last:
        last[COLUMN] = None
    last[COLUMN] = [
        text if isinstance(text, str) else None for text in last[COLUMN]
    ]
    return last.where(last.notna(), None)


def _text(value):
    if isinstance(value, dict):
        value = [f"{name} {one}" for name, one in value.items()]
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or pd.isna(value):
        return "unknown"
    return str(value)
