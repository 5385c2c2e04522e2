"""Writes src/models/boosted-trees/parity.json: what XGBoost learns, predicts and attributes on small data.

    pip install xgboost numpy && python scripts/boosted-trees-parity.py

With a file of `toXgboost` and one of rows (a JSON list of lists), prints what XGBoost predicts with it instead:

    python scripts/boosted-trees-parity.py MODEL ROWS
"""

import json
import sys
from pathlib import Path

import numpy as np
import xgboost as xgb

if len(sys.argv) == 3:
    rows = np.array(json.load(open(sys.argv[2])), dtype=np.float64)
    print(json.dumps([float(p) for p in xgb.Booster(model_file=sys.argv[1]).predict(xgb.DMatrix(rows))]))
    sys.exit()

random = np.random.RandomState(5)


def listed(values, digits=None):
    """Numbers for JSON, NaN as null."""
    if values.ndim > 1:
        return [listed(row, digits) for row in values]
    return [None if np.isnan(v) else float(v) if digits is None else round(float(v), digits) for v in values]


# Few distinct values, so that the places of cuts say nothing of how quantiles are found.
x = random.randint(0, 25, size=(300, 6)).astype(np.float64)
x[random.rand(*x.shape) < 0.08] = np.nan
known = np.nan_to_num(x, nan=20.0)
y = np.round(known[:, 0] + 0.1 * known[:, 1] * known[:, 2] - 3 * (known[:, 3] > 12) + random.randn(300), 3)
outcome = (y > np.quantile(y, 0.7)).astype(float)
others = np.round(25 * random.rand(25, 6), 2)
others[random.rand(*others.shape) < 0.15] = np.nan

cases = []
for name, objective, labels, given in [
    ("squared error", "reg:squarederror", y, {}),
    ("squared error, regularised", "reg:squarederror", y, {"lambda": 3, "alpha": 2, "gamma": 30, "min_child_weight": 8}),
    ("logistic", "binary:logistic", outcome, {"max_depth": 3}),
    ("logistic, regularised", "binary:logistic", outcome, {"lambda": 0.5, "alpha": 0.3, "gamma": 0.5, "min_child_weight": 3}),
]:
    parameters = {"max_depth": 4, "eta": 0.3, "tree_method": "hist", "objective": objective, **given}
    booster = xgb.train(parameters, xgb.DMatrix(x, label=labels), 6)
    rows = xgb.DMatrix(others)
    model = json.loads(booster.save_raw("json"))
    for tree in model["learner"]["gradient_booster"]["model"]["trees"]:
        for key in ("categories", "categories_nodes", "categories_segments", "categories_sizes"):
            tree[key] = []
    cases.append(
        {
            "name": name,
            "parameters": parameters,
            "labels": listed(labels),
            "model": model,
            "predictions": listed(booster.predict(rows).astype(np.float64)),
            "contributions": listed(booster.predict(rows, pred_contribs=True).astype(np.float64), 6),
            "importance": {kind: booster.get_score(importance_type=kind) for kind in ("weight", "gain", "cover")},
        }
    )

path = Path(__file__).parent.parent / "src/models/boosted-trees/parity.json"
path.write_text(json.dumps({"xgboost": xgb.__version__, "train": listed(x), "rows": listed(others), "cases": cases}, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
