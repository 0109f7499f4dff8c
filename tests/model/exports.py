"""Exports models from scikit-learn, XGBoost, LightGBM and PyTorch, with what the libraries themselves predict.

    python -m venv venv
    venv/bin/pip install onnx==1.23.* skl2onnx==1.20.* onnxmltools==1.16.* scikit-learn xgboost lightgbm numpy
    venv/bin/python tests/model/exports.py OUT [NAME ..]
    embergrid model verify OUT --rtol 1e-5 --atol 1e-5

Each model becomes OUT/NAME in ONNX's test layout. The expected outputs are the libraries' `predict` and
`predict_proba`, never a runtime's. PyTorch's graph is built by hand from its state, as its exporter would write it,
so that the script runs without PyTorch.
"""

import pathlib
import sys
import warnings

import lightgbm
import numpy as np
import onnx
import onnxmltools
import skl2onnx.common._container as container
import xgboost
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType as MlFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.decomposition import PCA
from sklearn.preprocessing import (
    Binarizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings("ignore")

MODELS = {}


def model(function):
    MODELS[function.__name__] = function
    return function


# skl2onnx hands numpy booleans and unsigned integers to onnx, which takes neither since 1.19.
def plain(value):
    if isinstance(value, (np.bool_, np.integer)) or value is True or value is False:
        return int(value)
    return value


def add_node(self, op_type, inputs, outputs, *args, original=container.ModelComponentContainer.add_node, **attrs):
    attrs = {k: [plain(x) for x in v] if isinstance(v, list) else plain(v) for k, v in attrs.items()}
    return original(self, op_type, inputs, outputs, *args, **attrs)


container.ModelComponentContainer.add_node = add_node


def rows(loader, count=24, dtype=np.float32):
    x, y = loader(return_X_y=True)
    x = x.astype(dtype)
    picked = np.random.RandomState(7).permutation(len(x))
    return x, y, x[picked[:count]]


def write(out, exported, inputs, outputs):
    """`inputs` and `outputs` in the order of the graph."""
    folder = out / "test_data_set_0"
    folder.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(exported.SerializeToString())
    for kind, values, infos in (("input", inputs, exported.graph.input), ("output", outputs, exported.graph.output)):
        assert len(values) == len(infos), (kind, len(values), [info.name for info in infos])
        for index, (value, info) in enumerate(zip(values, infos)):
            if info.type.HasField("sequence_type"):
                proto = maps(value, info)
            else:
                proto = numpy_helper.from_array(np.asarray(value), info.name)
            (folder / f"{kind}_{index}.pb").write_bytes(proto.SerializeToString())


def maps(value, info):
    """What ZipMap gives: for each row the classes' probabilities by label."""
    matrix, classes = value
    sequence = onnx.SequenceProto(name=info.name, elem_type=onnx.SequenceProto.MAP)
    text = isinstance(classes[0], str)
    for row in matrix.astype(np.float32):
        entry = sequence.map_values.add()
        entry.key_type = TensorProto.STRING if text else TensorProto.INT64
        if text:
            entry.string_keys.extend(label.encode() for label in classes)
        else:
            entry.keys.extend(int(label) for label in classes)
        entry.values.elem_type = onnx.SequenceProto.TENSOR
        entry.values.tensor_values.extend(numpy_helper.from_array(np.asarray(x, np.float32)) for x in row)
    return sequence


def labels(y):
    return np.asarray([str(v) for v in y], dtype=object) if np.asarray(y).dtype.kind in "OU" else np.asarray(y, np.int64)


def classifier(out, m, loader=load_breast_cancer, names=None, zipmap=True, dtype=np.float32, scores="predict_proba",
               holes=False, **kwargs):
    x, y, sample = rows(loader, dtype=dtype)
    if names:
        y = np.asarray([names[v] for v in y])
    if holes:
        x, sample = pierced(x), pierced(sample)
    m.fit(x, y)
    kind = DoubleTensorType if dtype == np.float64 else FloatTensorType
    options = {id(m): {"zipmap": zipmap, **kwargs} if zipmap is not None else kwargs}
    exported = to_onnx(m, initial_types=[("X", kind([None, x.shape[1]]))], options=options)
    given = getattr(m, scores)(sample)
    if given.ndim == 1:
        given = given[:, None]
    classes = [str(c) if isinstance(c, str) else int(c) for c in m.classes_]
    write(out, exported, [sample], [labels(m.predict(sample)), (given, classes) if zipmap else given.astype(dtype)])


def regressor(out, m, loader=load_diabetes, two=False, dtype=np.float32, holes=False):
    x, y, sample = rows(loader, dtype=dtype)
    if two:
        y = np.stack([y, y * 2 - 1], axis=1)
    if holes:
        x, sample = pierced(x), pierced(sample)
    m.fit(x, y)
    kind = DoubleTensorType if dtype == np.float64 else FloatTensorType
    exported = to_onnx(m, initial_types=[("X", kind([None, x.shape[1]]))])
    given = m.predict(sample)
    write(out, exported, [sample], [given.reshape(len(sample), -1).astype(dtype)])


def transformer(out, m, loader=load_breast_cancer, holes=False):
    x, y, sample = rows(loader)
    if holes:
        x, sample = pierced(x), pierced(sample)
    m.fit(x, y)
    exported = to_onnx(m, initial_types=[("X", FloatTensorType([None, x.shape[1]]))])
    write(out, exported, [sample], [m.transform(sample).astype(np.float32)])


def pierced(x):
    x = x.copy()
    x[np.random.RandomState(3).rand(*x.shape) < 0.1] = np.nan
    return x


@model
def logistic(out):
    classifier(out, make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)))


@model
def logistic_multiclass(out):
    classifier(out, LogisticRegression(max_iter=2000), load_iris)


@model
def logistic_strings(out):
    classifier(out, LogisticRegression(max_iter=2000), load_iris, names=["setosa", "versicolor", "virginica"])


@model
def logistic_columns(out):
    classifier(out, LogisticRegression(max_iter=2000), load_wine, zipmap=False)


@model
def logistic_double(out):
    classifier(out, LogisticRegression(max_iter=2000), load_wine, dtype=np.float64, zipmap=False)


@model
def ridge_classifier(out):
    classifier(out, RidgeClassifier(), load_wine, scores="decision_function", zipmap=False, raw_scores=True)


@model
def linear_svc(out):
    classifier(out, LinearSVC(), load_wine, scores="decision_function", zipmap=None, raw_scores=True)


@model
def sgd(out):
    classifier(out, make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=1)), load_wine)


@model
def discriminant(out):
    classifier(out, LinearDiscriminantAnalysis(), load_wine)


@model
def bayes(out):
    classifier(out, GaussianNB(), load_iris)


@model
def bayes_bernoulli(out):
    classifier(out, BernoulliNB(binarize=2.0), load_iris)


@model
def mlp(out):
    net = MLPClassifier((64, 32), max_iter=60, random_state=1)
    classifier(out, make_pipeline(MinMaxScaler(), net), load_digits, zipmap=False)


@model
def mlp_binary(out):
    net = MLPClassifier((16,), activation="tanh", max_iter=100, random_state=1)
    classifier(out, make_pipeline(StandardScaler(), net))


@model
def mlp_strings(out):
    net = MLPClassifier((8,), activation="logistic", max_iter=300, random_state=1)
    classifier(out, make_pipeline(StandardScaler(), net), load_iris, names=["a", "b", "c"])


@model
def mlp_regressor(out):
    regressor(out, make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(16, 8), max_iter=200, random_state=1)))


@model
def linear_regression(out):
    regressor(out, LinearRegression())


@model
def linear_two_targets(out):
    regressor(out, Ridge(), two=True)


@model
def lasso_scaled(out):
    regressor(out, make_pipeline(RobustScaler(), Lasso(0.1)))


@model
def elastic_double(out):
    regressor(out, ElasticNet(0.01), dtype=np.float64)


@model
def tree(out):
    classifier(out, DecisionTreeClassifier(max_depth=5, random_state=1))


@model
def tree_multiclass(out):
    classifier(out, DecisionTreeClassifier(max_depth=5, random_state=1), load_wine)


@model
def tree_regressor(out):
    regressor(out, DecisionTreeRegressor(max_depth=6, random_state=1))


@model
def tree_two_targets(out):
    regressor(out, DecisionTreeRegressor(max_depth=4, random_state=1), two=True)


@model
def forest(out):
    classifier(out, RandomForestClassifier(20, max_depth=6, random_state=1))


@model
def forest_multiclass(out):
    classifier(out, RandomForestClassifier(15, max_depth=6, random_state=1), load_digits, zipmap=False)


@model
def forest_strings(out):
    classifier(out, RandomForestClassifier(10, max_depth=4, random_state=1), names=["malignant", "benign"])


@model
def forest_regressor(out):
    regressor(out, RandomForestRegressor(20, max_depth=6, random_state=1))


@model
def extra_trees(out):
    classifier(out, ExtraTreesClassifier(15, max_depth=6, random_state=1), load_wine)


@model
def extra_trees_regressor(out):
    regressor(out, ExtraTreesRegressor(15, max_depth=6, random_state=1))


@model
def boosting(out):
    classifier(out, GradientBoostingClassifier(n_estimators=20, random_state=1))


@model
def boosting_multiclass(out):
    classifier(out, GradientBoostingClassifier(n_estimators=10, random_state=1), load_iris)


@model
def boosting_regressor(out):
    regressor(out, GradientBoostingRegressor(n_estimators=20, random_state=1))


@model
def hist_boosting(out):
    classifier(out, HistGradientBoostingClassifier(max_iter=20, random_state=1), holes=True)


@model
def hist_boosting_multiclass(out):
    classifier(out, HistGradientBoostingClassifier(max_iter=10, random_state=1), load_wine)


@model
def hist_boosting_regressor(out):
    regressor(out, HistGradientBoostingRegressor(max_iter=20, random_state=1), holes=True)


@model
def ada(out):
    classifier(out, AdaBoostClassifier(n_estimators=5, random_state=1))


@model
def imputed(out):
    classifier(out, make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=500)), holes=True)


@model
def columns(out):
    steps = ColumnTransformer([
        ("scaled", StandardScaler(), [0, 2, 4]),
        ("maximum", MaxAbsScaler(), [1, 3]),
        ("binary", Binarizer(threshold=0.1), [5, 6]),
    ])
    classifier(out, make_pipeline(steps, LogisticRegression(max_iter=500)))


@model
def union(out):
    steps = make_union(StandardScaler(), make_pipeline(StandardScaler(), PCA(3, random_state=1)), MinMaxScaler())
    transformer(out, steps)


@model
def normalized(out):
    transformer(out, make_pipeline(SelectKBest(k=5), Normalizer()))


@model
def polynomial(out):
    transformer(out, PolynomialFeatures(2, include_bias=False), load_iris)


@model
def two_inputs(out):
    """Integers and floats by name, as converters make of data frames."""
    x, y, _ = rows(load_iris)
    import pandas

    frame = pandas.DataFrame({"length": x[:, 0], "count": np.round(x[:, 2]).astype(np.int64)})
    m = make_pipeline(ColumnTransformer([("scaled", StandardScaler(), ["length", "count"])]), LogisticRegression())
    m.fit(frame, y)
    types = [("length", FloatTensorType([None, 1])), ("count", Int64TensorType([None, 1]))]
    exported = to_onnx(m, initial_types=types, options={id(m): {"zipmap": False}})
    sample = frame.iloc[::10]
    inputs = [sample[["length"]].to_numpy(np.float32), sample[["count"]].to_numpy(np.int64)]
    write(out, exported, inputs, [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32)])


def boosted(out, m, convert, loader, proba, holes=True):
    x, y, sample = rows(loader)
    if holes:
        x, sample = pierced(x), pierced(sample)
    m.fit(x, y)
    exported = convert(m, initial_types=[("X", MlFloat([None, x.shape[1]]))], target_opset=15)
    if not proba:
        return write(out, exported, [sample], [m.predict(sample).reshape(-1, 1).astype(np.float32)])
    scores = m.predict_proba(sample)
    classes = [int(c) for c in m.classes_]
    zipped = exported.graph.output[1].type.HasField("sequence_type")
    write(out, exported, [sample], [labels(m.predict(sample)), (scores, classes) if zipped else scores.astype(np.float32)])


@model
def xgb(out):
    m = xgboost.XGBClassifier(n_estimators=30, max_depth=5, random_state=1)
    boosted(out, m, onnxmltools.convert_xgboost, load_breast_cancer, True)


@model
def xgb_multiclass(out):
    m = xgboost.XGBClassifier(n_estimators=10, max_depth=4, random_state=1)
    boosted(out, m, onnxmltools.convert_xgboost, load_wine, True)


@model
def xgb_regressor(out):
    m = xgboost.XGBRegressor(n_estimators=30, max_depth=5, random_state=1)
    boosted(out, m, onnxmltools.convert_xgboost, load_diabetes, False)


@model
def lgbm(out):
    m = lightgbm.LGBMClassifier(n_estimators=30, num_leaves=15, verbose=-1, random_state=1)
    boosted(out, m, onnxmltools.convert_lightgbm, load_breast_cancer, True)


@model
def lgbm_multiclass(out):
    m = lightgbm.LGBMClassifier(n_estimators=10, num_leaves=7, verbose=-1, random_state=1)
    boosted(out, m, onnxmltools.convert_lightgbm, load_wine, True)


@model
def lgbm_regressor(out):
    m = lightgbm.LGBMRegressor(n_estimators=30, num_leaves=15, verbose=-1, random_state=1)
    boosted(out, m, onnxmltools.convert_lightgbm, load_diabetes, False)


@model
def lgbm_split(out):
    m = lightgbm.LGBMRegressor(n_estimators=40, num_leaves=15, verbose=-1, random_state=1)

    def convert(m, **kwargs):
        return onnxmltools.convert_lightgbm(m, split=10, **kwargs)

    boosted(out, m, convert, load_diabetes, False)


@model
def torch_mlp(out):
    """Linear, ReLU, Linear, Sigmoid as torch.onnx.export writes them: Gemm with transB."""
    random = np.random.RandomState(1)
    w1, b1 = random.randn(16, 10).astype(np.float32), random.randn(16).astype(np.float32)
    w2, b2 = random.randn(3, 16).astype(np.float32), random.randn(3).astype(np.float32)
    x = random.randn(8, 10).astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["input", "fc1.weight", "fc1.bias"], ["/fc1/Gemm_output_0"], transB=1, name="/fc1/Gemm"),
        helper.make_node("Relu", ["/fc1/Gemm_output_0"], ["/Relu_output_0"], name="/Relu"),
        helper.make_node("Gemm", ["/Relu_output_0", "fc2.weight", "fc2.bias"], ["/fc2/Gemm_output_0"], transB=1, name="/fc2/Gemm"),
        helper.make_node("Sigmoid", ["/fc2/Gemm_output_0"], ["output"], name="/Sigmoid"),
    ]
    weights = {"fc1.weight": w1, "fc1.bias": b1, "fc2.weight": w2, "fc2.bias": b2}
    graph = helper.make_graph(
        nodes, "main_graph",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 10])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    exported = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    hidden = np.maximum(x.astype(np.float64) @ w1.T + b1, 0)
    y = 1 / (1 + np.exp(-(hidden @ w2.T + b2)))
    write(out, exported, [x], [y.astype(np.float32)])


def main():
    out = pathlib.Path(sys.argv[1])
    failed = []
    for name in sys.argv[2:] or MODELS:
        try:
            MODELS[name](out / name)
        except Exception as error:
            failed.append(name)
            print(f"{name}: not exported: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
    print(f"{len(sys.argv[2:] or MODELS) - len(failed)} exported, {len(failed)} not: {' '.join(failed)}")


if __name__ == "__main__":
    main()
