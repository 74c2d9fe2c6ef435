r"""Put a result into results/, with its configuration and its machine.

    python -m tools.page.publish_result RESULT.parquet \
        --config configs/full.yml

Makes results/<date>-<name of the configuration>/ with result.parquet,
config.yml and provenance.json. The date is the last one on which a curve was
computed. `make conclusion` then writes README and docs anew.
"""
import argparse
import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import yaml
from benchopt.benchmark import Benchmark

from benchmark_utils.report import provenance
from benchmark_utils.wiring.benchopt_private import instances
from tools import ROOT
from tools.published import RESULTS


def publish(result, config, results=RESULTS):
    """Copy a result into its folder.

    Parameters
    ----------
    result, config : pathlib.Path
        The parquet file, and the configuration that was run.
    results : pathlib.Path

    Returns
    -------
    pathlib.Path
        The new folder.

    Raises
    ------
    ValueError
        Where the result cannot be what the configuration gives, or nobody
        could compute it again.
    """
    df = pd.read_parquet(result)
    found = provenance.read(df)
    check_reproducible(found)
    check_config(df, yaml.safe_load(Path(config).read_text()))
    date = max(text[:10] for text in found["date"])
    folder = results / f"{date}-{Path(config).stem}"
    folder.mkdir(parents=True)
    shutil.copyfile(result, folder / "result.parquet")
    shutil.copyfile(config, folder / "config.yml")
    (folder / "provenance.json").write_text(json.dumps(found, indent=1) + "\n")
    return folder


def check_reproducible(found):
    """A published result was computed from commits, all of it."""
    for text in found.get("git", ["unknown"]):
        if text.startswith("unknown") or "-dirty" in text:
            raise ValueError(
                f"some curves were computed from a git state that is {text}: "
                "commit, and run it again."
            )


def check_config(df, config):
    """All problems of a result are among those of its configuration."""
    benchmark = Benchmark(ROOT)
    for what, known in (
        ("dataset", benchmark.check_dataset_patterns(config["dataset"])),
        ("objective", benchmark.check_objective_filters(config["objective"])),
    ):
        wanted = {
            str(one) for one, _ in instances(*known, check_installed=False)
        }
        strange = set(df[f"{what}_name"]) - wanted
        if strange:
            raise ValueError(
                f"the configuration does not run the {what} "
                f"{sorted(strange)[0]}: give the one that was run."
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        folder = publish(arguments.result, arguments.config)
    except (ValueError, FileExistsError) as error:
        sys.exit(f"Not published: {error}")
    print(f"{folder.relative_to(ROOT)}; now: make conclusion")


if __name__ == "__main__":
    main()
