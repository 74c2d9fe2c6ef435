
from benchopt import BaseDataset

from benchmark_utils.data.files import read_data_file
from benchmark_utils.data.splitting import split_and_scale


class Dataset(BaseDataset):
    """Your own data: -d "file[path=data.svm]".

    svmlight (.svm .svmlight .libsvm .txt), .npz (X and y), .npy (X; label is
    the file of y), .parquet and .csv or .tsv (label is a column; categories
    become one column a level, missing entries are filled and reported); any
    two labels, the larger is +1. Put a path with blanks, "~" or ".." in
    quotes: -d "file[path='../my data.csv',label='is good']".

    Parameters
    ----------
    path : str
        Absolute, or relative to where benchopt was started.
    label : str or None
        The column of labels, or the file of labels for .npy.
    scaling : {"raw", "standardized", "maxabs"}
        Sparse data are never centred.
    test_share : float in [0, 1)
        Share of each class that is held out. An .npz file may bring its own
        X_test and y_test.
    memory_map : bool
        Leave X on disk, for what is larger than the memory: .npy, or .npz
        saved by numpy.savez; raw and without held-out samples.
    """

    name = "file"
    requirements = ["pip::pandas", "pip::pyarrow", "pip::scikit-learn"]
    parameters = {
        "path": [None],
        "label": [None],
        "scaling": ["raw"],
        "test_share": [0.0],
        "memory_map": [False],
    }

    source = "your own"
    licence = "your own"
    stands_for = "your own kind of problem"

    def prepare(self):
        # Nothing to fetch: it is there, or it is not
        pass

    def get_data(self):
        if self.path is None:
            raise ValueError('give a path: -d "file[path=data.svm]"')
        if self.memory_map and (self.scaling != "raw" or self.test_share):
            raise ValueError(
                "memory_map=True leaves X as it is on disk: it needs "
                "scaling=raw and test_share=0."
            )
        data = read_data_file(self.path, self.label, self.memory_map)
        if self.memory_map or "X_test" in data:
            if self.scaling != "raw" or self.test_share:
                raise ValueError(
                    f"{self.path} has its own X_test: it needs scaling=raw "
                    "and test_share=0."
                )
            return data
        coef_true = data.pop("coef_true", None)
        found = split_and_scale(**data, scaling=self.scaling,
                                test_share=self.test_share)
        if coef_true is not None and self.scaling == "raw":
            found["coef_true"] = coef_true
        return found
