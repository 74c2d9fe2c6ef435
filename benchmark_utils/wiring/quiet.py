"""Keep the terminal free of what libraries say at every run."""
import os
import sys
import warnings
from contextlib import contextmanager


@contextmanager
def ignore_warnings(*categories):
    """Ignore warnings of these categories (all of them by default).

    A run that stops early because the benchmark asked for it is no news;
    the certificate tells how far it got.
    """
    with warnings.catch_warnings():
        for category in categories or (Warning,):
            warnings.simplefilter("ignore", category)
        yield


@contextmanager
def silence_output():
    """Send what C code writes to stdout and stderr to nowhere.

    `contextlib.redirect_stdout` replaces ``sys.stdout``, which C code does
    not know; here the file descriptors 1 and 2 are redirected. Costs some
    10 us, so it is for libraries that cannot be told to be quiet.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = [(fd, os.dup(fd)) for fd in (1, 2)]
    try:
        for fd, _ in kept:
            os.dup2(nowhere, fd)
        yield
    finally:
        for fd, copy in kept:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(nowhere)
