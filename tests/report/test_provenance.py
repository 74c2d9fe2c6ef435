"""What a result says about itself."""
import json
import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.report import problem_facts, provenance
from conftest import ROOT
from harness import SOLVERS, objective, set_problem
from made_results import machine
from tools.page.make_page import system_information

RNG = np.random.default_rng(0)


def recorded():
    problem = objective(l2=1.0)
    set_problem(problem, dict(X=RNG.normal(size=(50, 3)), y=[0, 1] * 25))
    return json.loads(problem.save_final_results(coef=np.zeros(3)))


def test_versions_of_all_that_is_needed():
    versions = recorded()["versions"]
    for cls in filter(lambda cls: cls.is_installed(), SOLVERS.values()):
        for name in cls.requirements:
            package = name.removeprefix("pip::").partition(">")[0]
            assert package in versions, f"{cls.name} needs {package}"
    assert versions["numpy"] == np.__version__
    assert "benchopt" in versions


def test_threads_are_those_of_the_run():
    found = recorded()
    assert found["numba_threads"] == 1
    assert found["blas"]
    assert all(line.endswith(" 1 thread") for line in found["blas"])
    # whose library, not where it lies
    assert "/" not in "".join(found["blas"] + found["openmp"])


def test_git_state(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=tmp_path, check=True, capture_output=True,
        )

    assert provenance.git_state.__wrapped__(tmp_path) is None
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "first")
    state = provenance.git_state.__wrapped__(tmp_path)
    assert len(state) == 12
    git("tag", "v1")
    assert provenance.git_state.__wrapped__(tmp_path) == state
    (tmp_path / "file").write_text("2")
    assert provenance.git_state.__wrapped__(tmp_path) == f"{state}-dirty"
    (tmp_path / "inside").mkdir()
    assert provenance.git_state.__wrapped__(tmp_path / "inside") is None


def test_a_mixed_result_says_so():
    one, two = ('{"python": "3.11", "svml": false}', '{"python": "3.12"}')
    assert provenance.read(machine(one, one))["python"] == ["3.11"]
    assert provenance.read(machine(two, one, one))["python"] == [
        "3.11 (2 curves)", "3.12 (1 curves)",
    ]
    assert provenance.read(machine(one))["svml"] == ["no"]


def test_results_of_before_are_read():
    old = machine("{}").drop(columns="final_results")
    assert provenance.read(old)["processor"] == ["AMD <EPYC>"]
    assert "python" not in provenance.read(old)


def test_page_shows_all_of_it():
    text = provenance.record(problem={})
    shown = system_information(machine(text))
    found = shown["main"] | shown["sub"]
    assert set(found) == set(provenance.LABELS.values())
    assert found["processor"] == "AMD &lt;EPYC&gt;"
    assert f"numpy {np.__version__}" in found["packages"]


@pytest.mark.parametrize("shape", [(40, 3), (3, 40), (9000, 500)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, np.float32])
def test_facts(shape, kind):
    X = RNG.normal(size=shape) * (RNG.random(shape) < 0.5)
    X[:, 0] *= 100
    singular = np.linalg.svd(X, compute_uv=False)
    facts = problem_facts.describe(kind(X))
    assert (facts["n_samples"], facts["n_features"]) == shape
    assert facts["nonzero"] == np.count_nonzero(X) / X.size
    np.testing.assert_allclose(
        facts["condition"], singular[0] / singular[-1], rtol=1e-5
    )


def test_facts_of_dependent_and_of_zero_columns():
    X = RNG.normal(size=(50, 3))
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.zeros(50)])
    assert problem_facts.describe(X)["condition"] < 10
    assert problem_facts.describe(0 * X)["condition"] is None


def test_facts_of_a_batch_and_of_large_data():
    batch = ManyProblems([np.ones((4, 2)), RNG.normal(size=(9, 3))])
    facts = problem_facts.describe(batch)
    assert (facts["n_problems"], facts["n_samples"]) == (2, 9)
    large = sparse.eye_array(3000, format="csr")
    assert problem_facts.describe(large)["condition"] is None


def test_kinds():
    facts = dict(n_samples=2000, n_features=100, nonzero=0.05, condition=1e6)
    assert problem_facts.kinds_of(facts) == [
        "tall", "sparse", "ill-conditioned",
    ]
    small = facts | dict(n_samples=10, n_features=20, nonzero=1.0)
    assert problem_facts.kinds_of(small | dict(condition=None)) == [
        "tiny", "wide",
    ]
    assert set(problem_facts.DEFINITIONS) == set(problem_facts.KINDS)


def test_readers_find_it_in_a_result_file(copy, benchopt):
    benchopt(
        copy, "run", ".", "--no-plot", "--output", "tried", "-n", "5",
        "-d", "simulated[n_samples=10,n_features=2]", "-s", "raw-newton",
        "-s", "scipy[method=L-BFGS-B]",
    )
    df = pd.read_parquet(copy / "outputs" / "tried.parquet")
    found = provenance.read(df)
    assert set(found) == set(provenance.LABELS)
    assert all(len(texts) == 1 for texts in found.values())
    # a copy is no git repository
    assert found["git"] == ["unknown"]
    assert (ROOT / ".git").exists()
    texts = df["final_results"].dropna()
    assert len(texts) == 2
    assert json.loads(texts.iloc[0])["problem"]["n_samples"] == 10
