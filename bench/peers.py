"""Processor time of Python packages, on one core, on the values in a file of doubles, one JSON object a line. Each does what our stream of that type does:
models that are fitted again on a schedule are fitted as often as ours. What is slow is measured on a part and scaled up, and says so."""

import json
import os
import sys
import time
import warnings
from importlib.metadata import version

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

warnings.filterwarnings("ignore")
values = np.fromfile(sys.argv[1], dtype=np.float64)
wanted = set(sys.argv[2:])
DAY = 1440
WEEK = 7 * DAY


def say(kind, package, call, does, work, scale=1.0):
    if kind not in wanted:
        return
    try:
        work(True)
        start = time.process_time()
        work(False)
        ms = (time.process_time() - start) * 1000 * scale
    except Exception as error:
        print(f"speed: {package} {call} failed: {error}", file=sys.stderr)
        return
    print(json.dumps({"type": kind, "peer": f"{package} {version(package)} {call}", "does": does, "ms": ms}), flush=True)


def isolation_forest(warm):
    from sklearn.ensemble import IsolationForest

    rows = values.reshape(-1, 1)
    for end in range(1024, 2048 if warm else len(rows), 1024):
        model = IsolationForest(n_estimators=100, max_samples=256, random_state=1)
        model.fit(rows[max(0, end - 4096) : end])
        model.score_samples(rows[end : end + 1024])


def principal_components(warm):
    from sklearn.decomposition import PCA

    rows = np.lib.stride_tricks.sliding_window_view(values, 16)
    for end in range(4000, 8000 if warm else len(rows), 4000):
        model = PCA(n_components=0.9).fit(rows[max(0, end - 20000) : end])
        ahead = rows[end : end + 4000]
        np.linalg.norm(ahead - model.inverse_transform(model.transform(ahead)), axis=1)


def holt_winters(warm):
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    part = values[: 3 * DAY] if warm else values
    model = ExponentialSmoothing(part, trend="add", seasonal="add", seasonal_periods=DAY, initialization_method="heuristic")
    model.fit(smoothing_level=0.1, smoothing_trend=0.01, smoothing_seasonal=0.1, optimized=False)


# Smoothers are evaluated at every tenth of their window and joined by lines, which the package advises for speed.
def stl(warm):
    from statsmodels.tsa.seasonal import STL

    part = values[: 2 * DAY] if warm else values[:WEEK]
    STL(part, period=DAY, robust=True, trend_jump=216, low_pass_jump=144).fit()


def mstl(warm):
    from statsmodels.tsa.seasonal import MSTL

    part = values[: 2 * WEEK + DAY] if warm else values
    jumps = {"trend_jump": 1500, "low_pass_jump": 1000, "seasonal_jump": 1}
    if not warm:
        MSTL(part, periods=(DAY, WEEK), stl_kwargs=jumps).fit()


STUMPY_ROWS = 500


def stumpi(warm):
    import stumpy

    stream = stumpy.stumpi(values[: 1000 if warm else WEEK], m=100, egress=True)
    global stumpi_ms
    start = time.process_time()
    for value in values[WEEK : WEEK + (20 if warm else STUMPY_ROWS)]:
        stream.update(value)
    stumpi_ms = (time.process_time() - start) * 1000


RIVER_ROWS = 4000


def half_space_trees(warm):
    from river.anomaly import HalfSpaceTrees

    model = HalfSpaceTrees(n_trees=25, height=8, window_size=1000, seed=1)
    scaled = (values - values.min()) / (values.max() - values.min())
    for value in scaled[: 100 if warm else RIVER_ROWS]:
        row = {"value": value}
        model.score_one(row)
        model.learn_one(row)


say("isolation-forest", "scikit-learn", "IsolationForest", "fitted every 1024 rows on 4096", isolation_forest)
say("principal-components", "scikit-learn", "PCA", "fitted every 4000 rows on 20,000 windows of 16", principal_components)
say("holt-winters", "statsmodels", "ExponentialSmoothing", "one pass, parameters given", holt_winters)
say("stl", "statsmodels", "STL", "fitted each day on seven days (one fit, scaled up)", stl, 22)
say("mstl", "statsmodels", "MSTL", "fitted once on four weeks", mstl)
if "matrix-profile" in wanted:
    try:
        stumpi(True)
        stumpi(False)
        name = f"stumpy {version('stumpy')} stumpi"
        ms = stumpi_ms * len(values) / STUMPY_ROWS
        print(json.dumps({"type": "matrix-profile", "peer": name, "does": f"stream over a week of history ({STUMPY_ROWS} rows, scaled up)", "ms": ms}))
    except Exception as error:
        print(f"speed: stumpy failed: {error}", file=sys.stderr)
say("half-space-trees", "river", "HalfSpaceTrees", f"stream ({RIVER_ROWS} rows, scaled up)", half_space_trees, len(values) / RIVER_ROWS)
