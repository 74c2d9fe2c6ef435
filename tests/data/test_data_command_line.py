"""What a user sees of data that are there, absent, broken or changed."""
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmark_utils.data.libsvm_files import load_libsvm
from benchmark_utils.data.recorded_answers import (
    LibsvmPage,
    connect_libsvm,
    small_problem,
    svmlight_bytes,
)
from conftest import ROOT
from problems import PACKAGED

RUN = ["run", ".", "--no-display", "--no-plot", "--output", "tried",
       "-s", "scipy[method=L-BFGS-B]", "-n", "20"]


def names(folder):
    frame = pd.read_parquet(folder / "outputs" / "tried.parquet")
    return set(frame["dataset_name"].str.split("[").str[0])


@pytest.fixture
def homes(tmp_path):
    """Empty folders for what is downloaded, and no network."""
    return dict(
        LIBSVMDATA_HOME=str(tmp_path / "libsvmdata"),
        SCIKIT_LEARN_DATA=str(tmp_path / "openml"),
        # a proxy that nobody listens at
        https_proxy="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9",
        no_proxy="", NO_PROXY="",
    )


def write(path):
    X, y = small_problem(30, 5, density=1.0)
    np.savez(path, X=X, y=y)
    return path


def test_what_cannot_be_loaded_costs_no_other_result(
    copy, benchopt, tmp_path, homes
):
    whole = write(tmp_path / "whole.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(whole.read_bytes()[:-40])
    output = benchopt(
        copy, *RUN,
        "-d", "libsvm[name=rcv1]", "-d", "libsvm[name=no-such-name]",
        "-d", "openml[data_id=31]", "-d", "file",
        "-d", f"file[path='{broken}']",
        "-d", f"file[path='{whole}']", "-d", "digits",
        **homes,
    )
    # the exit code was 0, or `benchopt` would have failed
    assert names(copy) == {"file", "digits"}
    assert "Traceback" not in output
    text = re.sub(r"\s+", " ", output)
    for reason in (
        "rcv1.binary from https://www.csie.ntu.edu.tw",
        '`benchopt prepare . -d "libsvm[name=rcv1.binary]"` fetches it',
        "LIBSVM has no dataset 'no-such-name'",
        "OpenML's table 31 could not be downloaded",
        'give a path: -d "file[path=data.svm]"',
        "broken.npz cannot be read as npz",
    ):
        assert reason in text, reason


def test_prepare_then_run_without_a_network(
    copy, benchopt, tmp_path, homes, monkeypatch
):
    page = LibsvmPage({
        "colon-cancer.bz2": svmlight_bytes(*small_problem(62, 2000))
    })
    with monkeypatch.context() as context:
        connect_libsvm(context, tmp_path / "libsvmdata", page)
        load_libsvm("colon-cancer")
    chosen = ["-d", "libsvm[name=colon-cancer]", "-d", "digits"]
    output = benchopt(copy, "prepare", ".", *chosen, **homes)
    assert "2/2 datasets ready" in output
    benchopt(copy, *RUN, *chosen, **homes)
    assert names(copy) == {"libsvm", "digits"}


def test_prepare_says_what_failed(copy, benchopt, homes):
    output = benchopt(
        copy, "prepare", ".", "-d", "libsvm", "-d", "digits", "-d", "file",
        check=False, **homes,
    )
    assert "2/3 datasets ready, 1 failed" in output
    assert "DownloadError: a9a from https" in output


def test_a_changed_file_is_run_again(copy, benchopt, tmp_path):
    path = write(tmp_path / "my data.npz")
    arguments = [*RUN, "-d", f"file[path='{path}']"]
    benchopt(copy, *arguments)
    assert "(cached)" in benchopt(copy, *arguments)
    X, y = small_problem(40, 5, density=1.0)
    np.savez(path, X=X, y=y)
    assert "(cached)" not in benchopt(copy, *arguments)


@pytest.mark.slow
def test_configuration_for_a_memory_map(copy, benchopt):
    X, y = small_problem(30, 5, density=1.0)
    np.save(copy / "X.npy", X)
    np.save(copy / "y.npy", y)
    benchopt(
        copy, "run", ".", "--config", "configs/memory_map.yml", "-n", "5",
        "--no-display", "--no-plot", "--output", "tried",
    )
    frame = pd.read_parquet(copy / "outputs" / "tried.parquet")
    assert frame["solver_name"].nunique() == 6


@pytest.mark.slow
def test_prepare_everything(copy, benchopt, homes):
    output = benchopt(copy, "prepare", ".", check=False, **homes)
    ready, total, failed = map(int, re.search(
        r"(\d+)/(\d+) datasets ready, (\d+) failed", output
    ).groups())
    # libsvm and openml alone need a network
    assert failed == 2
    assert total - ready == 2


def test_configuration_of_the_packaged_data():
    config = yaml.safe_load((ROOT / "configs" / "data.yml").read_text())
    assert sorted(config["dataset"]) == sorted(PACKAGED)
    assert len(config["solver"]) == 3


@pytest.mark.slow
def test_run_the_configuration_of_the_packaged_data(copy, benchopt):
    benchopt(
        copy, "run", ".", "--config", "configs/data.yml", "--no-display",
        "--no-plot", "--output", "tried",
    )
    frame = pd.read_parquet(copy / "outputs" / "tried.parquet")
    curves = frame.groupby(["dataset_name", "solver_name"])
    assert len(curves) == 30
    # every point has a certificate, and each problem a solver that gets on
    assert frame["objective_relative_gap"].between(0, 1).all()
    best = frame.groupby("dataset_name")["objective_relative_gap"].min()
    assert (best < 1e-2).all()
    assert frame["objective_test_accuracy"].notna().all()
