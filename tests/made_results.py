"""Results whose answers are known, and the machine that they name."""
import json

import pandas as pd

RATES = {"auto-newton": 4.0, "sklearn[solver=lbfgs]": 2.0, "scipy": 1.0}


def result(rates=RATES, sizes=((100, 10), (1000, 10), (10_000, 10)), n_rep=3):
    """Gaps fall as 10^-(rate t / n): times are known exactly."""
    rows = []
    for n, p in sizes:
        facts = dict(
            n_problems=1, n_samples=n, n_features=p, nonzero=1.0,
            condition=2.0, pass_seconds=1e-3,
        )
        for name, rate in rates.items():
            for rep in range(n_rep):
                for k in range(11):
                    gap = 10.0**-k
                    rows.append(dict(
                        dataset_name=f"made[n_samples={n}]",
                        objective_name="F", solver_name=name, idx_rep=rep,
                        stop_val=3e38 if k == 0 else gap,
                        time=k * n / 1000 / rate,
                        objective_value=1.0 + gap,
                        objective_lower_bound=1.0 - gap,
                        objective_relative_gap=2 * gap / (1 + gap),
                        objective_n_nonzeros=p - k,
                        final_results=json.dumps({"problem": facts}),
                    ))
    return pd.DataFrame(rows)


def not_convex(df, objective="F[l1=0.1,l2=0.0,penalty=mcp,gamma=10.0]"):
    """Make a result of a problem without lower bounds from one with them.

    The violations are what the gaps were; a solver's last value differs from
    that of the others.
    """
    df = df.copy()
    df["objective_name"] = objective
    df["p_obj_l1"], df["p_obj_l2"], df["p_obj_penalty"] = 0.1, 0.0, "mcp"
    df["objective_relative_violation"] = df.pop("objective_relative_gap")
    df["objective_violation"] = df["objective_relative_violation"] / 100
    df["objective_value"] += (df["solver_name"] == "scipy") * 0.01
    return df.drop(columns="objective_lower_bound")


def machine(*texts):
    """Make a result of one curve of two points for each text."""
    return pd.DataFrame([
        {
            "dataset_name": "d", "objective_name": "o",
            "solver_name": f"s{k}", "idx_rep": 0, "time": point,
            "system-processor": "AMD <EPYC>", "system-cpus": 2,
            "system-ram (GB)": 24, "platform": "Linux",
            "platform-release": "6", "platform-architecture": "x86_64",
            "final_results": text if point else None,
        }
        for k, text in enumerate(texts) for point in (0, 1)
    ])
