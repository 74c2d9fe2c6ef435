"""Find results: those of outputs/ and those that are published."""
import json
import re
import sys

import pandas as pd

from benchmark_utils.report import not_run, provenance
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


def read(*folders):
    """Read published results as one table, of the solvers that all have."""
    frames = [pd.read_parquet(one / "result.parquet") for one in folders]
    if len(frames) == 1:
        return frames[0]
    shared = set.intersection(*(set(one["solver_name"]) for one in frames))
    failed = [
        one for frame in frames for one in not_run.read(frame) or ()
        if one["solver"] in shared
    ]
    df = pd.concat(frames, ignore_index=True)
    df = df[df["solver_name"].isin(shared)].reset_index(drop=True)
    df.attrs = {not_run.KEY: json.dumps(failed)}
    return df


def link(folder, root=""):
    """Name a published result; `root` leads from the document to README."""
    place = f"{folder.parent.name}/{folder.name}"
    return f"[{place}]({root}{place})"


def machine(df):
    """Say what a result was computed on: processor, cores, threads."""
    found = provenance.read(df)

    def counted(name, word):
        text = "; ".join(found[name])
        return f"{text} {word}" + "s" * (text != "1")

    return (
        f"{'; '.join(found['processor'])} "
        f"({'; '.join(found['microarchitecture'])}), "
        f"{counted('cores', 'core')}, {counted('numba_threads', 'thread')}"
    )


def repository():
    """Read the address of the repository, which CITATION.cff has."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return re.search(r"^url: (\S+)$", text, flags=re.MULTILINE)[1]
