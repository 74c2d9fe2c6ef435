"""Libraries that a run can do without."""
import warnings


class Library:
    """Import the library of a solver, or note that it is missing.

        with Library("pip install celer") as needs:
            from celer import celer_path

    The solver's class names it, ``needs = needs``, and is then "not
    installed" with one line that says what to do. (benchopt takes plain
    imports too; then it prints a stack trace for each library that is not
    there, and knows nothing of the class.) Only an ImportError is noted, so
    a mistake in a solver's file is still an error.

    Parameters
    ----------
    how : str
        The command that installs it.
    """

    #: whether it was said that it is missing
    said = False

    def __init__(self, how):
        self.how = how
        self.missing = None

    def __enter__(self):
        # what they will deprecate is not for who runs a benchmark
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")
        return self

    def __exit__(self, kind, error, trace):
        self._warnings.__exit__(kind, error, trace)
        del self._warnings
        if kind is not None and issubclass(kind, ImportError):
            self.missing = str(error)
            return True

    def check(self, name, raise_on_missing=False, quiet=False):
        """Whether it is there; if not, say so once or raise."""
        if self.missing is None:
            return True
        message = f"{name} is not installed ({self.missing}): {self.how}"
        if raise_on_missing:
            raise ImportError(message)
        if not (quiet or self.said):
            print(message)
            self.said = True
        return False
