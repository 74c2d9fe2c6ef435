"""Functions that are larger than tests/test_architecture.py allows.

The list may only shrink, to fewer than ten, each with its reason; a test
fails where an entry is no longer needed.
"""
#: {"file.py: function": why it is so large}
EXCEPTIONS = {
    "baselines/newton_kernels.py: _newton_range":
        "to be cut",
    "baselines/newton_kernels.py: newton_many":
        "to be cut",
    "fenchel/fit.py: fit_logistic":
        "to be cut",
    "fenchel/linalg/gram.py: _make_kernel":
        "to be cut",
    "fenchel/linalg/gram.py: codegen":
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
    "fenchel/newton/dense/row_span.py: descend_wide":
        "to be cut",
    "fenchel/newton/small/batch.py: _fit_parallel":
        "to be cut",
    "fenchel/newton/small/batch.py: _fit_range":
        "to be cut",
    "fenchel/newton/small/blocks.py: _block":
        "to be cut",
    "fenchel/newton/small/blocks.py: _project_block":
        "to be cut",
    "fenchel/newton/small/blocks.py: balanced_gap":
        "to be cut",
    "fenchel/newton/small/blocks.py: combine":
        "to be cut",
    "fenchel/newton/small/blocks.py: fill":
        "to be cut",
    "fenchel/newton/small/blocks.py: project":
        "to be cut",
    "fenchel/newton/small/blocks.py: weigh_at":
        "to be cut",
    "fenchel/newton/small/blocks.py: weighted_gram":
        "to be cut",
    "fenchel/newton/small/descent.py: _bend":
        "to be cut",
    "fenchel/newton/small/descent.py: _fit_from":
        "to be cut",
    "fenchel/newton/small/descent.py: _search":
        "to be cut",
    "fenchel/newton/small/descent.py: fit_tiny":
        "to be cut",
    "fenchel/newton/small/gap.py: balanced_gap":
        "to be cut",
    "fenchel/newton/small/hessian.py: weighted_gram":
        "to be cut",
    "fenchel/newton/small/hessian.py: weighted_single_gram":
        "to be cut",
    "fenchel/newton/small/kernels.py: signed_columns":
        "to be cut",
    "fenchel/newton/small/streamed.py: _start":
        "to be cut",
    "fenchel/newton/small/streamed.py: balanced_gap":
        "to be cut",
    "fenchel/newton/small/streamed.py: fit_streamed":
        "to be cut",
    "fenchel/newton/small/streamed.py: read":
        "to be cut",
    "fenchel/newton/small/two_columns.py: fit_two":
        "to be cut",
}
