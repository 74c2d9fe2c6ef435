"""Read-only arrays as numba takes others, so that nothing is compiled anew."""
import numpy as np


def writeable(array):
    """Return a view that may be written to, which no kernel does.

    For numba a read-only array is another type, to be compiled for anew.
    """
    if array.flags.writeable:
        return array
    interface = dict(array.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    return np.asarray(_Exposed(array, interface))


class _Exposed:
    """Hold an array, and tell NumPy of it by another interface."""

    def __init__(self, array, interface):
        self.array = array
        self.__array_interface__ = interface
