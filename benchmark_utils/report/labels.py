"""Short names of problems for plots and tables: "L1, 0.1 of max"."""
import re

#: penalties that l1 and l2 do not select, as a reader writes them
WORDS = {"mcp": "MCP", "scad": "SCAD", "tv": "TV"}


def label(objective):
    """Name an objective in few words.

    Parameters
    ----------
    objective : str
        benchopt's name, ``Logistic regression[l1=0.1,l2=0.0,...]``.

    Returns
    -------
    str
        "L2, l2 = 1", "elastic net, 0.1 of max, l2 = 0.5, intercept", "MCP,
        0.1 of max, gamma 10"; the name itself where it has no l1 and l2.
    """
    given = dict(re.findall(r"(\w+)=([^,\]]+)", objective))
    try:
        l1, l2 = float(given["l1"]), float(given["l2"])
    except (KeyError, ValueError):
        return objective
    other = given.get("penalty", "elasticnet")
    if other != "elasticnet":
        words = [WORDS.get(other, other.replace("_", "-"))]
    else:
        words = ["elastic net" if l1 and l2 else "L1" if l1 else "L2"]
    if l1:
        words.append(f"{l1:g} of max")
    if l2:
        words.append(f"l2 = {l2:g}")
    if "gamma" in given:
        words.append(f"gamma {float(given['gamma']):g}")
    if given.get("fit_intercept") == "True":
        words.append("intercept")
    return ", ".join(words)
