"""Tell whoever waits for the compiler, once, and only if it takes long.

By the logger "fenchel", as a warning: on stderr unless its level is higher.
"""
import logging
import threading

from numba.core import event

logger = logging.getLogger("fenchel")
#: Seconds without a word
PATIENCE = 1.0


class Notice(event.Listener):
    """Start a clock where numba begins to compile a function of ours."""

    told = False

    def __init__(self, package):
        self.package = package
        self.depth, self.clock = 0, None

    def on_start(self, event):
        self.depth += 1
        # what numba makes itself has no module
        name = event.data["dispatcher"].py_func.__module__ or ""
        room = name.removeprefix(self.package)
        if self.depth > 1 or Notice.told or room == name:
            return
        self.clock = threading.Timer(PATIENCE, self.tell, [room.lstrip(".")])
        self.clock.daemon = True
        self.clock.start()

    def on_end(self, event):
        self.depth -= 1
        if self.depth == 0 and self.clock:
            self.clock.cancel()
            self.clock = None

    def tell(self, room):
        if not Notice.told:
            Notice.told = True
            logger.warning(
                "fenchel: compiling %s for this CPU, once for each kind of "
                "problem: mostly 2 to 15 s. `python -m %s.compile` compiles "
                "all kinds beforehand.", room, self.package,
            )


def listen(package):
    """Listen to numba for the functions of a package."""
    event.register("numba:compile", Notice(package))
