import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.datasets import dump_svmlight_file

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library

with Library("apt-get install liblinear-tools") as needs:
    PROGRAM = shutil.which("liblinear-train") or shutil.which("train")
    if PROGRAM is None:
        raise ImportError("no program liblinear-train or train")

# LIBLINEAR's -s
METHODS = {"primal": 0, "dual": 7, "l1": 6}


class Solver(LogisticSolver):
    """LIBLINEAR as a program of the command line, as Debian installs it.

    ``primal``: trust region Newton, for 1/2 |w|_2^2 + C sum_i log-loss_i.
    ``dual``: coordinate descent on the dual of the same. ``l1``: newGLMNET,
    for |w|_1 + C sum_i log-loss_i. These are F / lambda for C = 1 / lambda.
    Version 2.3 cannot leave the intercept out of the penalty (-R came with
    2.40), so it gets none.

    Timed: the program at tolerance -e: it starts, reads the data from a file
    (written before, not timed), computes, writes its model, which is read
    back. `liblinear` is the same code without the files. Both files have at
    least 16 digits.
    """

    name = "liblinear-train"
    requirements = ["pip::scikit-learn"]
    needs = needs
    parameters = {"method": ["primal", "dual", "l1"]}
    choices = {"method": tuple(METHODS)}
    sampling_strategy = "tolerance"
    references = [
        "R.-E. Fan et al., LIBLINEAR: a library for large linear "
        "classification, JMLR 9, 2008, https://jmlr.org/papers/v9/fan08a.html",
        "H.-F. Yu, F.-L. Huang and C.-J. Lin, Dual coordinate descent "
        "methods for logistic regression, 2011, "
        "doi:10.1007/s10994-010-5221-8",
        "G.-X. Yuan, C.-H. Ho and C.-J. Lin, An improved GLMNET for "
        "l1-regularized logistic regression, JMLR 13, 2012, "
        "https://jmlr.org/papers/v13/yuan12a.html",
    ]

    language = "C++"
    handles_intercept = False

    @property
    def penalties(self):
        return ("l1",) if self.method == "l1" else ("l2",)

    @property
    def why_not(self):
        return {
            "l1": f"-s {METHODS[self.method]} is for l2; l1 has its own",
            "l2": "-s 6 is for l1; primal and dual are for l2",
            "elasticnet": "LIBLINEAR has none for the logistic loss",
            "intercept": "version 2.3 penalizes it",
        }

    def prepare(self):
        # removed with the solver
        self.folder = TemporaryDirectory(prefix="liblinear-")
        self.data = str(Path(self.folder.name, "data.svm"))
        self.model = Path(self.folder.name, "model")
        dump_svmlight_file(self.X, self.y, self.data, zero_based=False)

    def solve(self, tol):
        c = 1 / (self.lmbd1 + self.lmbd2)
        subprocess.run(
            [
                PROGRAM, "-s", str(METHODS[self.method]), "-c", repr(c),
                "-e", repr(tol), "-q", self.data, self.model,
            ],
            check=True, capture_output=True,
        )
        _, weights = self.model.read_text().split("\nw\n")
        # It knows features up to the last one that is not zero; the label of
        # its weights is +1, whatever the order of the labels -1 and +1.
        w = np.array(weights.split(), float)
        self.coef = np.zeros(self.X.shape[1])
        self.coef[:len(w)] = w
