"""One fit by XGBoost on what bench/boosted-trees.ts wrote; prints a line of JSON. Arguments: rows, columns, training rows, trees, depth, folder."""

import json
import sys
import time

import numpy as np
import xgboost as xgb

rows, columns, training, trees, depth = map(int, sys.argv[1:6])
values = np.fromfile(sys.argv[6] + "/values.f32", dtype=np.float32).reshape(rows, columns)
labels = np.fromfile(sys.argv[6] + "/labels.f32", dtype=np.float32)
parameters = {"tree_method": "hist", "max_depth": depth, "eta": 0.1, "nthread": 1, "objective": "reg:squarederror"}

start = time.process_time()
matrix = xgb.QuantileDMatrix(values[:training], label=labels[:training], nthread=1)
booster = xgb.train(parameters, matrix, trees)
fit = time.process_time() - start

start = time.process_time()
predictions = booster.inplace_predict(values[training:])
predict = time.process_time() - start
error = float(np.sqrt(np.mean((predictions - labels[training:]) ** 2)))
print(json.dumps({"version": xgb.__version__, "fit": fit, "predict": predict, "error": error}))
