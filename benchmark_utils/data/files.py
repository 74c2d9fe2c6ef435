"""Read a user's own data: svmlight, npz, npy, parquet, CSV."""
import bz2
import gzip
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.datasets import load_svmlight_file

from benchmark_utils.data.encoding import encode, split_label

OPENERS = {".gz": gzip.open, ".bz2": bz2.open}
# Bytes of text that are parsed at once
PIECE = 2**22
ARRAYS = ("X", "y", "X_test", "y_test", "coef_true")
CSR_PARTS = ("data", "indices", "indptr", "shape")


class DataFileError(ValueError):
    """A file that cannot be read as data; the message says what to do."""


def read_data_file(path, label=None, memory_map=False):
    """Read a data file; the end of its name says which kind it is.

    =========================== ==========================================
    .svm .svmlight .libsvm .txt ``label index:value ...`` lines; also .gz,
                                .bz2. Dense from 50 % nonzeros on
    .npz                        arrays X and y (and X_test, y_test,
                                coef_true where there are); a CSR matrix as
                                X_data, X_indices, X_indptr, X_shape
    .npy                        X; y in the .npy file `label` beside it
    .parquet .pq                a table; `label` is a column
    .csv .tsv                   a table with a line of names, commas or
                                tabs; `label` is a column. Also .gz, .bz2
    =========================== ==========================================

    Parameters
    ----------
    path : str
    label : str, optional
        The column (parquet, CSV) or the file (npy) of labels.
    memory_map : bool
        Leave X on disk (npy, or npz saved without compression).

    Returns
    -------
    dict
        X of shape (n_samples, n_features) and y of shape (n_samples,), and
        what else an npz file has.

    Raises
    ------
    DataFileError
    """
    path = Path(str(path)).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise DataFileError(
            f"{path.absolute()} {what}: give the path of a file, absolute or "
            f"relative to {Path.cwd()}."
        )
    ending = path.suffix.lower()
    packed = ending in OPENERS
    if packed:
        ending = Path(path.stem).suffix.lower()
    reader = READERS.get(ending)
    if reader is None or packed and reader not in (_svmlight, _csv):
        raise DataFileError(
            f"{path.name} is of no known kind: the name must end in "
            f"{', '.join(READERS)}."
        )
    if memory_map and reader not in (_npz, _npy):
        raise DataFileError(
            f"{path.name} cannot be memory-mapped: save X as .npy, or X and "
            "y with numpy.savez."
        )
    if path.stat().st_size == 0:
        raise DataFileError(f"{path} is empty.")
    try:
        return reader(path, label, memory_map)
    except DataFileError:
        raise
    except Exception as error:
        kind = ending.removeprefix(".")
        raise DataFileError(
            f"{path} cannot be read as {kind}: {error}. Is it complete, and "
            f"is it {kind}?"
        ) from error


def _svmlight(path, label, memory_map):
    # scikit-learn's reader holds three times what it has read, so it gets
    # the file piece by piece.
    parts, labels = [], []
    with OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
        while lines := file.readlines(PIECE):
            piece = BytesIO(b"".join(lines))
            del lines
            part, y = load_svmlight_file(piece, zero_based=True)
            parts.append(_compact(part))
            labels.append(y)
    first = min((p.indices.min() for p in parts if p.nnz), default=0)
    width = max(p.shape[1] for p in parts) - (first > 0)
    for part in parts:
        # columns are counted from one, where none is zero
        part.indices -= first > 0
        part.resize(part.shape[0], max(width, 1))
    return dict(X=_stack(parts), y=np.concatenate(labels))


def _compact(part):
    """With 32-bit indices, which some libraries need, and nothing spare."""
    return sparse.csr_matrix(
        (
            part.data.copy(), part.indices.astype(np.int32),
            part.indptr.astype(np.int32),
        ),
        shape=part.shape,
    )


def _stack(parts):
    """One CSR matrix, or an array from 50 % nonzeros on; empties `parts`."""
    n_samples = sum(part.shape[0] for part in parts)
    n_features = parts[0].shape[1]
    if sum(part.nnz for part in parts) < 0.5 * n_samples * n_features:
        return sparse.vstack(parts, format="csr")
    X = np.empty((n_samples, n_features))
    while parts:
        part = parts.pop()
        X[n_samples - part.shape[0]:n_samples] = part.toarray()
        n_samples -= part.shape[0]
    return X


def _npz(path, label, memory_map):
    with np.load(path, allow_pickle=False) as file:
        parts = {f"X_{part}" for part in CSR_PARTS}
        names = set(file.files)
        if "y" not in names or not ("X" in names or parts <= names):
            raise DataFileError(
                f"{path} holds {', '.join(sorted(names))}: it must hold y "
                "and X, or X_data, X_indices, X_indptr and X_shape."
            )
        data = {
            name: file[name] for name in ARRAYS
            if name in names and not (name == "X" and memory_map)
        }
        if "X" not in names:
            for name in ("X", "X_test"):
                if f"{name}_data" in names:
                    data[name] = _csr(file, name)
    if memory_map and "X" in names:
        data["X"] = _map_member(path, "X.npy")
    return data


def _csr(file, name):
    values, indices, indptr, shape = (
        file[f"{name}_{part}"] for part in CSR_PARTS
    )
    X = sparse.csr_matrix((values, indices, indptr), shape=tuple(shape))
    X.check_format()
    return X


def _map_member(path, member):
    """An array of an uncompressed npz file, left on disk."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    if info.compress_type != zipfile.ZIP_STORED:
        raise DataFileError(
            f"{path} is compressed and cannot be memory-mapped: save it with "
            "numpy.savez, not savez_compressed."
        )
    with open(path, "rb") as file:
        # A local header: 30 bytes, the last four the lengths of the name and
        # of the extra field that follow (APPNOTE.TXT of the zip format)
        file.seek(info.header_offset + 26)
        lengths = np.frombuffer(file.read(4), dtype="<u2")
        file.seek(int(lengths.sum()), 1)
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(file)
        return np.memmap(
            path, dtype, "r", file.tell(), shape, "F" if fortran else "C"
        )


def _npy(path, label, memory_map):
    if label is None:
        raise DataFileError(
            f"{path.name} holds X: set label to the .npy file of labels."
        )
    beside = path.parent / label
    if not beside.is_file():
        raise DataFileError(
            f"{beside} does not exist: label must be the .npy file of "
            f"labels, beside {path.name}."
        )
    X = np.load(path, "r" if memory_map else None, allow_pickle=False)
    return dict(X=X, y=np.load(beside, allow_pickle=False))


def _parquet(path, label, memory_map):
    return _table(pd.read_parquet(path), path, label)


def _csv(path, label, memory_map):
    names = path.name.lower()
    separator = "\t" if ".tsv" in names else ","
    return _table(pd.read_csv(path, sep=separator), path, label)


def _table(frame, path, label):
    try:
        frame, y = split_label(frame, label, path.name)
        return dict(X=encode(frame, path.name), y=y)
    except ValueError as error:
        raise DataFileError(str(error)) from error


READERS = {
    ".svm": _svmlight, ".svmlight": _svmlight, ".libsvm": _svmlight,
    ".txt": _svmlight, ".npz": _npz, ".npy": _npy, ".parquet": _parquet,
    ".pq": _parquet, ".csv": _csv, ".tsv": _csv,
}
