"""Trains models/breast-cancer/1: is a tumour malignant, from 30 measurements of its cell nuclei?

The data is the Breast Cancer Wisconsin (Diagnostic) set that scikit-learn brings along: 569 real patients.
Run it from anywhere: python models/breast-cancer/train.py
"""

import csv
import pathlib
import sys

import numpy
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import golden  # noqa: E402

data = load_breast_cancer()
columns = [name.replace(" ", "_") for name in data.feature_names]
labels = [str(name) for name in data.target_names]  # class 0 is malignant

with open(HERE / "data.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["id", *columns, "diagnosis"])
    for number, (row, target) in enumerate(zip(data.data, data.target), start=1):
        writer.writerow([number, *(repr(float(value)) for value in row), labels[target]])

train, test, train_target, test_target = train_test_split(
    data.data, data.target, test_size=0.25, random_state=7, stratify=data.target
)
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
model.fit(train, train_target)
print("AUC on the held-out quarter:", roc_auc_score(test_target, model.predict_proba(test)[:, 1]))

# As a column of floats leaves the grid: rounded to f32, then computed by the library in f64.
rows = data.data[::18][:32].astype(numpy.float32)
exported = to_onnx(model, rows[:1], options={"zipmap": False}, target_opset={"": 18, "ai.onnx.ml": 3})
(HERE / "1" / "model.onnx").write_bytes(exported.SerializeToString())
exact = rows.astype(numpy.float64)
golden.write(
    HERE / "1" / "test_data_set_0",
    {"X": rows},
    {
        "label": model.predict(exact).astype(numpy.int64),
        "probabilities": model.predict_proba(exact).astype(numpy.float32),
    },
)
