"""Peak memory is the run's own."""
import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.wiring.memory import bytes_of, peak_memory
from harness import objective, run_to_the_end, solver


@pytest.mark.parametrize("megabytes", [4, 64])
def test_sees_what_a_run_allocates(megabytes):
    def run():
        np.ones(megabytes * 2**17).sum()

    for _ in range(2):
        seen = peak_memory(run) / 2**20
        assert megabytes - 0.5 <= seen <= megabytes + 8


def test_does_not_see_what_was_there():
    np.ones(2**23).sum()
    assert peak_memory(lambda: None) < 2**22


def test_bytes_of_a_design():
    X = np.eye(10)
    assert bytes_of(X) == 800
    assert bytes_of(sparse.csr_matrix(X)) == 10 * 8 + 10 * 4 + 11 * 4


def test_is_a_metric_in_units_of_x():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20000, 100))
    y = np.where(rng.random(20000) < 0.5, 1.0, -1.0)
    run = run_to_the_end(solver("auto-newton"), objective(l2=1.0), dict(
        X=X, y=y
    ))
    # X in halves, a quarter, and vectors of the samples
    assert 0.25 <= run.points[-1]["peak_memory"] <= 0.6
