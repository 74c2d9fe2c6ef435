"""What `benchopt test` checks here beyond its own tests.

benchopt calls ``check_<name of its test>`` before the test of that name.
"""
from benchmark_utils.data import recorded_answers
from benchmark_utils.wiring.benchopt_private import file_of


def check_test_solver_class(solver):
    """A solver's name is its file's, with hyphens."""
    expected = file_of(solver).stem.replace("_", "-")
    assert solver.name == expected, f"rename {solver.name} to {expected}"


def check_test_dataset_class(dataset):
    """A dataset's name is its file's."""
    expected = file_of(dataset).stem
    assert dataset.name == expected, f"rename {dataset.name} to {expected}"


def check_test_dataset_get_data(dataset, monkeypatch, tmp_path):
    """The datasets that download read recorded answers, `file` a file."""
    if not dataset.is_installed():
        return
    if dataset.name == "libsvm":
        page = recorded_answers.LibsvmPage({
            "colon-cancer.bz2": recorded_answers.svmlight_bytes(
                *recorded_answers.small_problem(62, 2000)
            )
        })
        recorded_answers.connect_libsvm(monkeypatch, tmp_path, page)
    elif dataset.name == "openml":
        recorded_answers.connect_openml(
            monkeypatch, tmp_path, recorded_answers.OpenmlServer()
        )
    elif dataset.name == "file":
        path = tmp_path / "data.svm"
        path.write_text("1 1:0.5\n2 2:1\n")
        monkeypatch.setattr(dataset, "test_config", {"path": str(path)})
