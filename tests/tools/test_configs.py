"""Every configuration names what there is."""
import pytest
import yaml

from conftest import ROOT
from harness import BENCHMARK

CONFIGS = sorted(path.name for path in (ROOT / "configs").glob("*.yml"))
OPTIONS = {
    "objective", "dataset", "solver", "n-repetitions", "max-runs", "timeout",
}


@pytest.mark.parametrize("name", CONFIGS)
def test_names_exist(name):
    config = yaml.safe_load((ROOT / "configs" / name).read_text())
    assert set(config) <= OPTIONS
    assert config["dataset"]
    # these raise for a name or a parameter that is unknown
    BENCHMARK.check_objective_filters(config["objective"])
    BENCHMARK.check_dataset_patterns(config["dataset"])
    BENCHMARK.check_solver_patterns(config.get("solver"))
    # benchopt rounds it down
    assert isinstance(config["timeout"], int)
