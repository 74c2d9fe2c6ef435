"""What the datasets that download have in common."""
import contextlib
import threading
import time


class DownloadError(OSError):
    """Data that could not be fetched; the message says what to do."""


def no_network(what, where, selector, error):
    """A DownloadError for data that could not be reached.

    Parameters
    ----------
    what : str
        What was to be fetched, and from where.
    where : path
        The folder in which it would be kept.
    selector : str
        The dataset as it is selected with benchopt's option ``-d``.
    error : Exception
    """
    reason = " ".join(str(error).split())
    return DownloadError(
        f"{what} could not be downloaded ({reason}). With a network, `benchopt"
        f' prepare . -d "{selector}"` fetches it; it is then kept in {where}, '
        "which can be copied to a machine without one."
    )


@contextlib.contextmanager
def growth_shown(folder, what, every=2.0):
    """Print how much has arrived in a folder while something downloads.

    For a library that shows no progress of its own. Nothing is printed where
    nothing grows, or where it takes less than `every` seconds.

    Parameters
    ----------
    folder : pathlib.Path
        It need not exist yet.
    what : str
    every : float
        Seconds between two lines.
    """
    done = threading.Event()
    before = _size(folder)

    def watch():
        started, last = time.perf_counter(), before
        while not done.wait(every):
            size = _size(folder)
            if size > last + 1e5:
                seconds = time.perf_counter() - started
                print(
                    f"{what}: {(size - before) / 1e6:.1f} MB after "
                    f"{seconds:.0f} s",
                    flush=True,
                )
            last = size

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _size(folder):
    total = 0
    for path in folder.rglob("*"):
        # a temporary file may be gone by now
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total
