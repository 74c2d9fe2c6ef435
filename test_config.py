"""What `benchopt test` checks here beyond its own tests.

benchopt calls ``check_<name of its test>`` before the test of that name.
"""


def check_test_solver_class(solver):
    """A solver's name is its file's, with hyphens."""
    expected = solver._module_filename.stem.replace("_", "-")
    assert solver.name == expected, f"rename {solver.name} to {expected}"


def check_test_dataset_class(dataset):
    """A dataset's name is its file's."""
    expected = dataset._module_filename.stem
    assert dataset.name == expected, f"rename {dataset.name} to {expected}"
