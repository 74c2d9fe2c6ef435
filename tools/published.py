"""Find results: those of outputs/ and those that are published."""
import sys

from tools import ROOT

RESULTS = ROOT / "results"


def newest_result(folder=ROOT / "outputs"):
    """Find the result file that was written last."""
    found = sorted(
        folder.glob("*.parquet"), key=lambda path: path.stat().st_mtime
    )
    if not found:
        sys.exit(f"{folder.name}/ has no result: run `make run` first.")
    return found[-1]


def newest(results=RESULTS, config="full"):
    """Find the folder of the newest published result of a configuration."""
    found = folders(results, config)
    if not found:
        sys.exit(
            f"results/ has none of configs/{config}.yml: see "
            "tools/page/publish_result.py."
        )
    return found[0]


def folders(results=RESULTS, config="*"):
    """Find all folders with a published result, the newest first."""
    return sorted(
        (path.parent for path in results.glob(f"*-{config}/result.parquet")),
        key=lambda path: path.name, reverse=True,
    )
