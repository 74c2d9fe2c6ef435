from benchopt import BaseDataset

from benchmark_utils.data.openml_tables import load_openml
from benchmark_utils.data.splitting import split_and_scale
from benchmark_utils.wiring.benchopt_private import parameters_of


class Dataset(BaseDataset):
    """A table of https://www.openml.org, downloaded once.

    By scikit-learn's `fetch_openml`, which checks its MD5 sum and keeps it in
    the folder openml of $SCIKIT_LEARN_DATA (~/scikit_learn_data without it).
    Categories become one column a level; a missing number becomes the median
    of its column, a missing category a level of its own, and what was filled
    or left out is printed. CSR below 10 % nonzeros.

    Parameters
    ----------
    data_id : int
        The number in the address of the table's page.
    name : str or None
        Its name; data_id is then not looked at.
    version : int or "active"
        Which of the tables of that name.
    target : str or None
        The column of labels, of two classes; OpenML's choice for None.
    scaling : {"raw", "standardized", "maxabs"}
        Sparse data are never centred.
    test_share : float in [0, 1)
        Share of each class that is held out; none, so that n is OpenML's.
    """

    name = "openml"
    requirements = ["pip::pandas", "pip::scikit-learn"]
    # 1119 is adult-census, 48842 x 14: is an income above 50000?
    parameters = {
        "data_id": [1119],
        "name": [None],
        "version": ["active"],
        "target": [None],
        "scaling": ["standardized"],
        "test_share": [0.0],
    }

    source = "OpenML"
    licence = "of each table"
    stands_for = "tables with categories and missing entries"

    def get_data(self):
        # benchopt makes no attribute of a parameter that is called `name`
        X, y = load_openml(
            self.data_id, parameters_of(self)["name"], self.version,
            self.target,
        )
        return split_and_scale(X, y, self.scaling, self.test_share)
