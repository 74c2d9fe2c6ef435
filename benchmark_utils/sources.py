"""Fingerprints of this package's rooms, so that no cache outlives its code.

benchopt's cache sees an edited solver, dataset or objective, but not an
edited ``benchmark_utils``; numba's cache sees an edited function, but not an
edited function that it calls in another file. Both are keyed here by the
rooms that they depend on, so that an edit elsewhere recomputes nothing.
"""
import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numba

_PACKAGE = Path(__file__).parent
#: what a curve depends on, beside its solver's file and its data, whose own
#: checksum stands in benchopt's key
OF_A_CURVE = ("problem", "wiring", "baselines", "fenchel")
#: what numba compiles; the package fenchel has a folder of its own
COMPILED = ("baselines",)


@lru_cache
def sources_hash(*rooms):
    """Return a short hash of all Python sources of some rooms."""
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted((_PACKAGE / room).rglob("*.py")):
            digest.update(path.relative_to(_PACKAGE).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def use_own_numba_cache():
    """Keep what numba compiles in a folder that belongs to these sources.

    A user's ``NUMBA_CACHE_DIR`` is respected as the parent folder. Where the
    package cannot be written (a shared installation), numba's own choice of
    folder stays. Each version of numba has a folder: it discards what another
    has compiled.
    """
    parent = os.environ.get("NUMBA_CACHE_DIR")
    parent = Path(parent) if parent else _PACKAGE / "__pycache__"
    try:
        folder = (
            parent / f"numba-{numba.__version__}-{sources_hash(*COMPILED)}"
        )
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        numba.config.CACHE_DIR = str(folder)
