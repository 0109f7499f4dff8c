"""Trains models/payments/1: how likely is a card payment fraud?

The payments are simulated (src/cli/payments): the model knows that simulation and nothing of the world. First
    cargo run --release -- demo --write-payments payments.csv --rows 500000 --seed 1
then, from anywhere,
    python models/payments/train.py payments.csv
"""

import csv
import pathlib
import sys

import numpy
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.metrics import average_precision_score, roc_auc_score
from xgboost import XGBClassifier

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import golden  # noqa: E402

NOT_FEATURES = {"id", "card", "time", "country", "is_fraud"}
FLAGS = {"true": 1.0, "false": 0.0}


def number(text: str) -> float:
    return FLAGS[text] if text in FLAGS else float(text)


with open(sys.argv[1], newline="") as file:
    reader = csv.DictReader(file)
    features = [name for name in reader.fieldnames if name not in NOT_FEATURES]
    rows, targets = [], []
    for row in reader:
        rows.append([number(row[name]) for name in features])
        targets.append(number(row["is_fraud"]))
rows = numpy.array(rows, dtype=numpy.float32)
targets = numpy.array(targets, dtype=numpy.int64)

# The last quarter in time is held out.
cut = len(rows) * 3 // 4
model = XGBClassifier(
    n_estimators=100, max_depth=6, learning_rate=0.2, tree_method="hist", n_jobs=1, random_state=7
)
model.fit(rows[:cut], targets[:cut])
held = model.predict_proba(rows[cut:])[:, 1]
print(f"held-out quarter: AUC {roc_auc_score(targets[cut:], held):.4f}, "
      f"average precision {average_precision_score(targets[cut:], held):.4f}, "
      f"{targets.mean():.2%} of all payments are fraud")

exported = convert_xgboost(model, initial_types=[("X", FloatTensorType([None, len(features)]))], target_opset=15)
(HERE / "1" / "model.onnx").write_bytes(exported.SerializeToString())

# Half of the samples are fraud.
held_rows, held_targets = rows[cut:], targets[cut:]
samples = numpy.concatenate([held_rows[held_targets == 1][:16], held_rows[held_targets == 0][:16]])
golden.write(
    HERE / "1" / "test_data_set_0",
    {"X": samples},
    {
        "label": model.predict(samples).astype(numpy.int64),
        "probabilities": model.predict_proba(samples).astype(numpy.float32),
    },
)
