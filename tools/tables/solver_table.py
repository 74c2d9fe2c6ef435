"""Print the table of solvers, read from their classes.

    python -m tools.tables.solver_table [--write docs/solvers.md]

No library has to be installed. With --write, what stands between
``<!-- solvers: start -->`` and ``<!-- solvers: end -->`` is replaced.
"""
import re

from benchopt.benchmark import Benchmark
from benchopt.utils.parametrized_name_mixin import product_param

from tools import ROOT
from tools.tables.markdown import parser, show_or_write
from tools.tables.markdown import table as table_of

BOUNDS = (
    "requirements.txt", "requirements-solvers.txt", "requirements-legacy.txt",
)
# Solvers of packages that every run needs anyway
OF_EVERY_RUN = {"scipy": "scipy", "sklearn": "scikit-learn"}
FEATURES = {
    "L2": lambda one: "l2" in one.penalties,
    "L1": lambda one: "l1" in one.penalties,
    "elastic net": lambda one: "elasticnet" in one.penalties,
    "MCP, SCAD": lambda one: {"mcp", "scad"} <= set(one.penalties),
    "intercept": lambda one: one.handles_intercept,
    "sparse": lambda one: one.handles_sparse,
}


def bounds():
    """{package: the oldest version that was tried} of requirements files."""
    lines = [
        line.split("#")[0].strip() for name in BOUNDS
        for line in (ROOT / name).read_text().splitlines()
    ]
    found = [re.match(r"([\w-]+)(?:\[\w+\])?[>=]=([\d.]+)", x) for x in lines]
    return {one[1]: one[2] for one in found if one}


def name_of(cls):
    """`name[parameter=a,b]`."""
    values = ", ".join(
        f"{name}={','.join(map(str, values))}"
        for name, values in cls.parameters.items()
    )
    return f"`{cls.name}[{values}]`" if values else f"`{cls.name}`"


def own_packages(cls):
    """The packages that it needs and the others do not."""
    if cls.name in OF_EVERY_RUN:
        return [OF_EVERY_RUN[cls.name]]
    shared = {"numpy", "numba", *OF_EVERY_RUN.values()}
    packages = [one.removeprefix("pip::") for one in cls.requirements]
    return [one for one in packages if one not in shared]


def library(cls, known):
    """What it is made with, and from which version on."""
    own = own_packages(cls)
    if not own:
        needs = getattr(cls, "needs", None)
        return f"`{needs.how}`" if needs else "this repository"
    return ", ".join(
        f"{one} {known[one]}" if one in known else one for one in own
    )


def handled(variants, feature):
    """Say yes, nothing, or the values of the parameters that do.

    `variants` are pairs of the parameters and the solver that has them.
    """
    yes = [FEATURES[feature](one) for _, one in variants]
    if all(yes):
        return "yes"
    # the values that every variant with them handles
    values = []
    for name in variants[0][0]:
        for value in dict.fromkeys(given[name] for given, _ in variants):
            if all(
                handles for (given, _), handles in zip(variants, yes)
                if given[name] == value
            ):
                values.append(str(value))
    return ", ".join(values)


def link(cls):
    """Of the first reference that has a DOI, arXiv number or address."""
    for text in getattr(cls, "references", ()):
        doi = re.search(r"doi:(\S+?)[,.]?(\s|$)", text)
        if doi:
            return f"[doi](https://doi.org/{doi[1]})"
        arxiv = re.search(r"arXiv:(\d+\.\d+)", text)
        if arxiv:
            return f"[arXiv](https://arxiv.org/abs/{arxiv[1]})"
        address = re.search(r"https://\S+", text)
        if address:
            return f"[paper]({address[0].rstrip('.,')})"
    return ""


def row(cls, known):
    variants = [
        (parameters, cls.get_instance(**parameters))
        for parameters in product_param(cls.parameters)
    ]
    method = cls.__doc__.strip().splitlines()[0].rstrip(".")
    cells = [name_of(cls), method, library(cls, known)]
    cells += [handled(variants, feature) for feature in FEATURES]
    return [*cells, getattr(cls, "language", "Python, numba"), link(cls)]


def table():
    """The table, as Markdown."""
    known = bounds()
    classes = sorted(
        Benchmark(ROOT).get_solvers(),
        key=lambda cls: (library(cls, known) != "this repository", cls.name),
    )
    header = [
        "solver", "method", "library, from version", *FEATURES, "language",
        "reference",
    ]
    return table_of([header, *(row(cls, known) for cls in classes)])


def main():
    show_or_write(parser(__doc__).parse_args().write, table(), "solvers")


if __name__ == "__main__":
    main()
