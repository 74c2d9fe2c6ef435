"""Commands around the benchmark, run from the root of the repository.

    python -m tools.run.run_benchmark --config configs/quick.yml

`run` runs it, `tables` writes the tables of the documents, `page` makes
pages, figures and the site of the results.
"""
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
