"""configs/speed.yml: BLAS at its best, and every problem loads."""
import pytest
import yaml

from conftest import ROOT
from harness import dataset
from tools.run.blas_core_type import core_type


@pytest.mark.parametrize("features, expected", [
    (dict(avx2=True, avx512f=True, avx512vl=True), "SkylakeX"),
    (dict(avx2=True, avx512f=False), "Haswell"),
    (dict(neon=True), ""),
])
def test_kernels_that_fit(features, expected):
    assert core_type(features) == expected


def test_sparse_gaussian():
    data = dataset(
        "sparse_gaussian", n_samples=300, n_features=50, per_row=5
    ).get_data()
    X = data["X"]
    assert X.shape == (300, 50) and X.format == "csr"
    assert 4.5 < X.nnz / 300 <= 5
    assert set(data["y"]) == {-1.0, 1.0}
    with pytest.raises(ValueError, match="per_row=0 must be at least 1"):
        dataset("sparse_gaussian", per_row=0).get_data()


def test_ours_and_the_best_others_are_raced():
    config = yaml.safe_load((ROOT / "configs" / "speed.yml").read_text())
    names = {str(one).split("[")[0] for one in config["solver"]}
    assert {"auto-newton", "scipy", "sklearn", "liblinear", "snapml",
            "optimistix"} <= names
    assert config["n-repetitions"] >= 5
