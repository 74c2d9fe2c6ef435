import numpy as np
from benchopt import BaseDataset
from scipy import sparse

from benchmark_utils.problem.loss import dual_weights


class Dataset(BaseDataset):
    """Correlated Gaussian features, labels drawn from the logistic model.

    Rows are stationary AR(1) sequences, corr(x_j, x_k) = rho^|j - k|; column
    j is multiplied by 10^u_j, u_j uniform in [-scale, scale]. The true
    coefficients are Gaussian, such that the scores have standard deviation
    `signal`; an intercept shifts them so that a share `balance` of the
    samples is expected to be positive. Labels are Bernoulli(sigmoid(score)):
    not separable, as the sign of a score would be.

    Parameters
    ----------
    n_samples, n_features : int
        `n_samples` for training, a quarter as many more are held out.
    rho : float in (-1, 1)
    scale : float
        Decades by which columns are scaled up or down.
    balance : float in (0, 1)
    density : float in (0, 1]
        Share of the entries that is kept; below 1, X is CSR.
    signal : float
    """

    name = "correlated"
    requirements = ["pip::numpy", "pip::scipy"]
    parameters = {
        "n_samples, n_features": [(1000, 100)],
        "rho": [0.5],
        "scale": [0.0],
        "balance": [0.5],
        "density": [1.0],
        "signal": [3.0],
    }
    test_config = {"n_samples": 60, "n_features": 10}

    source = "generated"
    licence = "as this repository"
    stands_for = "correlation, column scales, balance and density at will"

    def get_data(self):
        self.check()
        rng = np.random.default_rng(self.get_seed())
        n_samples, n_features = self.n_samples, self.n_features
        n_test = max(n_samples // 4, 2)
        X = rng.standard_normal((n_samples + n_test, n_features))
        for j in range(1, n_features):
            X[:, j] *= np.sqrt(1 - self.rho**2)
            X[:, j] += self.rho * X[:, j - 1]
        if self.density < 1:
            X *= rng.random(X.shape) < self.density
        coef = rng.standard_normal(n_features)
        coef *= self.signal / max((X @ coef).std(), 1e-12)
        scores = X @ coef
        scores += self.shift(scores)
        y = np.where(rng.random(len(X)) < dual_weights(-scores), 1.0, -1.0)
        scales = 10.0 ** rng.uniform(-self.scale, self.scale, n_features)
        X *= scales
        if self.density < 1:
            X = sparse.csr_matrix(X)
        return dict(
            X=X[:n_samples], y=y[:n_samples],
            X_test=X[n_samples:], y_test=y[n_samples:],
            coef_true=coef / scales,
        )

    def check(self):
        for name, good, what in [
            ("n_samples", self.n_samples >= 2, "at least 2"),
            ("n_features", self.n_features >= 1, "at least 1"),
            ("rho", -1 < self.rho < 1, "between -1 and 1"),
            ("scale", self.scale >= 0, "not negative"),
            ("balance", 0 < self.balance < 1, "between 0 and 1"),
            ("density", 0 < self.density <= 1, "above 0, at most 1"),
        ]:
            if not good:
                raise ValueError(
                    f"{name}={getattr(self, name)} must be {what}."
                )

    def shift(self, scores):
        """The intercept for which the mean probability is `balance`."""
        low, high = -100.0, 100.0
        for _ in range(60):
            middle = (low + high) / 2
            if dual_weights(-(scores + middle)).mean() < self.balance:
                low = middle
            else:
                high = middle
        return middle
