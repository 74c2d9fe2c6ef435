"""Colours and markers of solvers: a hue a family, the same in every plot."""
import colorsys

from benchmark_utils.report import not_run

OURS = "auto-newton"
#: solvers over parts of ours, which show what each gains: no rivals of it
PARTS = ("anderson-cd", "prox-newton")


def styles(df):
    """{solver name: {"color", "marker"}} for all solvers of a result.

    Solvers of one file (`sklearn[solver=...]`) share a hue and differ in
    lightness and marker; `auto-newton` is black.
    """
    failed = {one["solver"] for one in not_run.read(df) or ()} - {""}
    names = sorted(failed.union(df["solver_name"]))
    families = sorted({name.split("[")[0] for name in names} - {OURS})
    found = {}
    for k, family in enumerate(families):
        # neighbours in the alphabet get hues that are far apart
        hue = (k * 0.618034) % 1.0
        members = [name for name in names if name.split("[")[0] == family]
        for i, name in enumerate(members):
            lightness = 0.35 + 0.35 * i / max(len(members) - 1, 1)
            red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.75)
            found[name] = {"color": (red, green, blue, 1.0), "marker": k + i}
    found[OURS] = {"color": (0.0, 0.0, 0.0, 1.0), "marker": 0}
    return found
