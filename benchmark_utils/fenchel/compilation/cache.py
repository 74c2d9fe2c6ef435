"""Keep compiled functions in a folder that belongs to these sources.

numba's cache sees an edited function, but not an edited function that it
calls in another file: the folder's name has a hash of all sources of this
package. It is chosen a function, so numba's settings stay as they are for
everybody else.
"""
import hashlib
import os
from functools import cache
from pathlib import Path

import numba
from numba.core import caching
from numba.misc.appdirs import AppDirs

PACKAGE = Path(__file__).resolve().parent.parent
# what changes the machine code, beside the sources and the CPU
_FLAGS = "OPT", "BOUNDSCHECK", "CPU_FEATURES", "DEBUG"


@cache
def stamp():
    """Return a hash of the sources and of the flags of the compiler."""
    digest = hashlib.sha256(
        repr([getattr(numba.config, f, None) for f in _FLAGS]).encode()
    )
    for name in sorted(os.environ):
        if name.startswith("FENCHEL_"):
            digest.update(f"{name}={os.environ[name]};".encode())
    # what is kept names the modules that it is of
    digest.update(__name__.encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def folder():
    """Return the folder, or None where there is none to be written.

    NUMBA_CACHE_DIR, or the package's ``__pycache__``, or the user's caches.
    Environments of the same numba, CPU and sources share it.
    """
    name = "-".join([
        PACKAGE.name, "numba", numba.__version__,
        numba.config.CPU_NAME or "host", stamp(),
    ])
    given = os.environ.get("NUMBA_CACHE_DIR")
    for parent in [Path(given)] if given else [
        PACKAGE / "__pycache__",
        Path(AppDirs(appname=PACKAGE.name, appauthor=False).user_cache_dir),
    ]:
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(parent / name, os.W_OK):
            return parent / name
    return None


class _Locator(caching._CacheLocator):
    """Tells numba where a function of this package is kept."""

    def __init__(self, py_func, py_file):
        self._py_file = py_file
        self._lineno = py_func.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func, py_file):
        return cls(py_func, py_file) if folder() else None

    def get_cache_path(self):
        return str(folder())

    def get_source_stamp(self):
        return stamp()

    def get_disambiguator(self):
        """Return the room and the line: files of a name are in two rooms."""
        room = Path(self._py_file).resolve().parent
        if room.is_relative_to(PACKAGE):
            room = room.relative_to(PACKAGE)
        return ".".join([*room.parts[-3:], str(self._lineno)]).lstrip("/.")


class _Functions(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]


class _Files(caching.IndexDataCacheFile):
    """What is kept of a function; nothing, where it cannot be read.

    A penalty's file that is deleted leaves names behind that no module has.
    """

    def _load_index(self):
        try:
            return super()._load_index()
        except Exception:
            return {}

    def load(self, key):
        """Return what is kept under a key, or None."""
        try:
            return super().load(key)
        except Exception:
            return None


class FunctionCache(caching.FunctionCache):
    """numba's cache of a function, in `folder`."""

    _impl_class = _Functions

    def __init__(self, py_func):
        super().__init__(py_func)
        self._cache_file = _Files(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )
