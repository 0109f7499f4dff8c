"""Exports models from scikit-learn, XGBoost, LightGBM, CatBoost and PyTorch, with what the libraries themselves predict.

    python3 -m venv venv
    venv/bin/pip install -r tests/model/requirements.txt
    venv/bin/python tests/model/exports.py OUT [NAME ..]
    embergrid model verify OUT --rtol 1e-5 --atol 1e-5

Each model becomes OUT/NAME in ONNX's test layout. The expected outputs are the libraries' `predict` and
`predict_proba`, never a runtime's. Models that a converter writes otherwise than their library computes them are
exported only by name; the script says which these are, and why.
"""

import importlib
import pathlib
import sys

from export_layout import DIFFERENCES, MODELS

for part in ("basics", "estimators", "features", "boosted", "torch"):
    importlib.import_module(f"export_{part}")


def main():
    out = pathlib.Path(sys.argv[1])
    names = sys.argv[2:] or [name for name in MODELS if name not in DIFFERENCES]
    failed = []
    for name in names:
        try:
            MODELS[name](out / name)
        except Exception as error:
            failed.append(name)
            print(f"{name}: not exported: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
    print(f"{len(names) - len(failed)} exported, {len(failed)} not: {' '.join(failed)}")
    for name, reason in DIFFERENCES.items():
        print(f"{name}: not exported unless by name: {reason}")


if __name__ == "__main__":
    main()
