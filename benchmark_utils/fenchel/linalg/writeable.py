"""Give kernels one type of array: for numba a read-only one is another."""
import numpy as np


def writeable(array):
    """Return a view that may be written to, which no kernel does."""
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
