"""What a run was asked for and did not compute, kept in its result file.

benchopt's result has the rows of what ran. What failed, was skipped or is not
installed stands in the metadata of the parquet file, where pandas reads
``df.attrs`` from, so that a page that is made of it later can still tell.
"""
import json
from functools import lru_cache

import pyarrow.parquet as pq

KEY = "not_run"
# Where pandas 2.1 and newer keep the attributes of a DataFrame
PANDAS_ATTRIBUTES = b"PANDAS_ATTRS"


def write(path, entries):
    """Add the list of what did not run to a parquet file.

    Parameters
    ----------
    path : pathlib.Path
    entries : list of dict
        Each has the texts "dataset", "objective" and "solver" ("" where it is
        all of them), "status" (benchopt's word) and "reason".
    """
    table = pq.read_table(path)
    metadata = dict(table.schema.metadata or {})
    attributes = json.loads(metadata.get(PANDAS_ATTRIBUTES, b"{}"))
    # a text: pandas copies attributes deeply at every operation, and the page
    # of 1565 entries took more than ten minutes
    attributes[KEY] = json.dumps(entries)
    metadata[PANDAS_ATTRIBUTES] = json.dumps(attributes).encode()
    pq.write_table(table.replace_schema_metadata(metadata), path)


def read(df):
    """The entries of a result, a tuple; None where it does not know."""
    return _entries(df.attrs[KEY]) if KEY in df.attrs else None


@lru_cache(maxsize=8)
def _entries(text):
    return tuple(json.loads(text))
