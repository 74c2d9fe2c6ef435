import numpy as np
from benchopt import BaseDataset

from benchmark_utils.data.generators import draw_labels, power_law_rows


class Dataset(BaseDataset):
    """Sparse rows like text: word frequencies follow a power law. CSR.

    The number of words of a text is geometric with mean `words`; word j is
    drawn with probability proportional to (j + 2.7)^-exponent (Zipf and
    Mandelbrot). An entry is count times idf, as in tf-idf, rows have norm
    one. A few columns are in most of the rows, most columns in hardly any,
    some in none. Labels are Bernoulli from the logistic model, whose
    coefficients are Gaussian and nonzero for a tenth of the words.

    Parameters
    ----------
    n_samples, n_features : int
        `n_samples` for training, a quarter as many more are held out.
    words : float, at least 1
    exponent : float, positive
    signal : float
        Standard deviation of the scores.
    """

    name = "power_law"
    requirements = ["pip::numpy", "pip::scipy"]
    parameters = {
        "n_samples, n_features": [(2000, 10000)],
        "words": [60.0],
        "exponent": [1.1],
        "signal": [3.0],
    }
    test_config = {"n_samples": 50, "n_features": 200}

    source = "generated"
    licence = "as this repository"
    stands_for = "text: a few frequent words, many rare ones"

    def get_data(self):
        for name, least in [
            ("n_samples", 2), ("n_features", 1), ("words", 1),
            ("exponent", 1e-6), ("signal", 0),
        ]:
            if not getattr(self, name) >= least:
                raise ValueError(
                    f"{name}={getattr(self, name)} must be at least {least}."
                )
        rng = np.random.default_rng(self.get_seed())
        n_samples = self.n_samples
        X = power_law_rows(
            rng, n_samples + max(n_samples // 4, 2), self.n_features,
            self.words, self.exponent,
        )
        coef = rng.standard_normal(self.n_features)
        coef *= rng.random(self.n_features) < 0.1
        spread = (X @ coef).std()
        coef *= self.signal / spread if spread > 0 else 0.0
        y = draw_labels(rng, X @ coef)
        return dict(
            X=X[:n_samples], y=y[:n_samples],
            X_test=X[n_samples:], y_test=y[n_samples:], coef_true=coef,
        )
