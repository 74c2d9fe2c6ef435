"""What holds after `make solvers-legacy` only; `make test-legacy` runs it."""
import pytest

from harness import SOLVERS


@pytest.mark.parametrize("name", ["adelie", "glmnet", "lightning"])
def test_installed(name):
    assert SOLVERS[name].is_installed(), "make solvers-legacy"
