"""Trains models/digits/1: which digit is it, from an image of 8 x 8 grey levels?

The data is the digits set that scikit-learn brings along: 1,797 real images.
Run it from anywhere: python models/digits/train.py
"""

import csv
import pathlib
import sys

import numpy
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import golden  # noqa: E402

data = load_digits()
columns = [f"pixel_{number}" for number in range(64)]

with open(HERE / "data.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["id", *columns, "digit"])
    for number, (row, target) in enumerate(zip(data.data, data.target), start=1):
        writer.writerow([number, *(int(value) for value in row), int(target)])

train, test, train_target, test_target = train_test_split(
    data.data.astype(numpy.float32), data.target, test_size=0.25, random_state=7, stratify=data.target
)
model = MLPClassifier(hidden_layer_sizes=(64, 32), max_iter=500, random_state=7)
model.fit(train, train_target)
print("accuracy on the held-out quarter:", model.score(test, test_target))

# No options: the probabilities leave through a ZipMap, as in any default export.
rows = test[:32]
exported = to_onnx(model, rows[:1], target_opset={"": 18, "ai.onnx.ml": 3})
(HERE / "1" / "model.onnx").write_bytes(exported.SerializeToString())
golden.write(
    HERE / "1" / "test_data_set_0",
    {"X": rows},
    {
        "output_label": model.predict(rows).astype(numpy.int64),
        "output_probability": model.predict_proba(rows).astype(numpy.float32),
    },
)
