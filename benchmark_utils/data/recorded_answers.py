"""A transport without a network, for tests of the datasets that download.

Only the transport is replaced: what the loaders do with the answers
(decompress, check, parse, keep, read again) is what they do for a user.
"""
import bz2
import gzip
import io
from email.message import Message
from importlib.resources import files
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlparse

import numpy as np
from sklearn.datasets import dump_svmlight_file


class NoNetwork:
    """A transport that fails, as one does without a network."""

    def __init__(self):
        self.asked = []

    def download(self, url, path, **options):
        self.asked.append(url)
        raise RuntimeError(f"Error while fetching file {url}.")


class LibsvmPage(NoNetwork):
    """Answers what libsvmdata downloads.

    Parameters
    ----------
    problems : dict
        The answer (bytes) for each address's last part.
    """

    def __init__(self, problems):
        super().__init__()
        self.problems = problems

    def download(self, url, path, **options):
        self.asked.append(url)
        answer = self.problems.get(url.rsplit("/", 1)[1])
        if answer is None:
            raise RuntimeError(f"Error while fetching file {url}. Error: 404")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(answer)


def connect_libsvm(monkeypatch, home, page):
    """Let libsvmdata download from `page`, and keep it under `home`.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
    home : pathlib.Path
    page : NoNetwork or LibsvmPage
    """
    monkeypatch.setattr("libsvmdata.abstraction.download", page.download)
    monkeypatch.setattr("libsvmdata.libsvm.LIBSVM_DATA_HOME", home / "libsvm")


def svmlight_bytes(X, y, packed=True):
    """The text of an svmlight file, packed with bz2 or not."""
    text = io.BytesIO()
    dump_svmlight_file(X, y, text, zero_based=False)
    return bz2.compress(text.getvalue()) if packed else text.getvalue()


def small_problem(n_samples, n_features, labels=(-1, 1), density=0.1):
    """A problem for `svmlight_bytes`, the same at every call."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    X *= rng.random(X.shape) < density
    return X, np.resize(labels, n_samples)


class OpenmlServer:
    """Answers OpenML's addresses with what scikit-learn ships for its tests.

    Those are real answers of www.openml.org, of some tables the first rows
    only.
    """

    def __init__(self):
        self.asked = []

    def urlopen(self, request, *arguments, **options):
        url = request.get_full_url()
        self.asked.append(url)
        parts = urlparse(url).path.strip("/").split("/")
        if parts[:3] == ["data", "v1", "download"]:
            # the description has the number of the file, not of the table
            name = f"*/data-v1-dl-{parts[3]}.arff.gz"
        else:
            # api/v1/json/data/1119 -> api-v1-jd-1119
            table = "id_" + parts[-1]
            what = {"features": "jdf", "qualities": "jdq"}.get(parts[4], "jd")
            name = f"{table}/api-v1-{what}-{parts[-1]}.json.gz"
        folder = Path(str(files("sklearn.datasets.tests.data"))) / "openml"
        found = list(folder.glob(name))
        if not found:
            raise HTTPError(url, 412, "Unknown dataset", Message(), None)
        return _Answer(gzip.decompress(found[0].read_bytes()))


class _Answer(io.BytesIO):
    def info(self):
        return {}


def connect_openml(monkeypatch, home, server):
    """Let scikit-learn ask `server`, and keep the answers under `home`.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
    home : pathlib.Path
    server : OpenmlServer
    """
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", server.urlopen)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
