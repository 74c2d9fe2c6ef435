"""Functions that are larger than tests/test_architecture.py allows.

The list may only shrink, to fewer than ten, each with its reason; a test
fails where an entry is no longer needed.
"""
#: {"file.py: function": why it is so large}
EXCEPTIONS = {
    "fenchel/fit.py: fit_logistic":
        "to be cut",
    "fenchel/linalg/tiles.py: add_tile":
        "to be cut",
    "fenchel/linalg/tiles.py: make_tile":
        "to be cut",
    "fenchel/linalg/tiles.py: tile":
        "to be cut",
    "fenchel/linalg/tiles.py: whole_tile":
        "to be cut",
    "fenchel/newton/dense/descent.py: descend":
        "to be cut",
}
