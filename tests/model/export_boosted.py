"""XGBoost and LightGBM, as onnxmltools writes them, and CatBoost, which writes ONNX itself."""

import tempfile

import catboost
import lightgbm
import numpy as np
import onnx
import onnxmltools
import pandas
import xgboost
from export_layout import differs, labels, model, pierced, rows, write
from onnx import TensorProto, helper
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine


def boosted(out, m, convert, loader, proba, holes=True, y=None, fit=None, names=None):
    x, target, sample = rows(loader)
    if names:
        target = np.asarray([names[v] for v in target])
    if holes:
        x, sample = pierced(x), pierced(sample)
    m.fit(x, target if y is None else y(target), **(fit or {}))
    exported = convert(m, initial_types=[("X", FloatTensorType([None, x.shape[1]]))], target_opset=15)
    if not proba:
        return write(out, exported, [sample], [m.predict(sample).reshape(-1, 1).astype(np.float32)])
    scores = m.predict_proba(sample)
    classes = [str(c) if isinstance(c, str) else int(c) for c in m.classes_]
    zipped = exported.graph.output[1].type.HasField("sequence_type")
    write(out, exported, [sample], [labels(m.predict(sample)), (scores, classes) if zipped else scores.astype(np.float32)])


def xgb_model(out, m, loader, proba=False, **kwargs):
    boosted(out, m, onnxmltools.convert_xgboost, loader, proba, **kwargs)


def lgbm_model(out, m, loader, proba=False, **kwargs):
    boosted(out, m, onnxmltools.convert_lightgbm, loader, proba, **kwargs)


@model
def xgb(out):
    xgb_model(out, xgboost.XGBClassifier(n_estimators=30, max_depth=5, random_state=1), load_breast_cancer, True)


@model
def xgb_multiclass(out):
    xgb_model(out, xgboost.XGBClassifier(n_estimators=10, max_depth=4, random_state=1), load_wine, True)


@model
def xgb_regressor(out):
    xgb_model(out, xgboost.XGBRegressor(n_estimators=30, max_depth=5, random_state=1), load_diabetes)


@model
def xgb_forest(out):
    m = xgboost.XGBRFClassifier(n_estimators=8, max_depth=4, random_state=1)
    xgb_model(out, m, load_breast_cancer, True)


@model
def xgb_forest_regressor(out):
    xgb_model(out, xgboost.XGBRFRegressor(n_estimators=8, max_depth=4, random_state=1), load_diabetes)


@model
def xgb_ranker(out):
    m = xgboost.XGBRanker(n_estimators=10, max_depth=3, random_state=1)

    def convert(m, **kwargs):
        """The converter knows no rankers; the trees of one are those of a regressor."""
        same = xgboost.XGBRegressor()
        same.load_model(m.get_booster().save_raw("json"))
        return onnxmltools.convert_xgboost(same, **kwargs)

    boosted(out, m, convert, load_wine, False, fit={"group": [89, 89]})


@model
def xgb_counts(out):
    m = xgboost.XGBRegressor(n_estimators=10, max_depth=3, objective="count:poisson", random_state=1)
    xgb_model(out, m, load_diabetes)


@model
def xgb_tweedie(out):
    m = xgboost.XGBRegressor(n_estimators=10, max_depth=3, objective="reg:tweedie", random_state=1)
    xgb_model(out, m, load_diabetes)


@model
@differs("a regressor's logistic function is left out")
def xgb_logistic_regressor(out):
    m = xgboost.XGBRegressor(n_estimators=10, max_depth=3, objective="reg:logistic", random_state=1)
    xgb_model(out, m, load_breast_cancer)


@model
def xgb_base_score(out):
    m = xgboost.XGBRegressor(n_estimators=10, max_depth=3, base_score=3.5, random_state=1)
    xgb_model(out, m, load_diabetes, holes=False)


@model
def lgbm(out):
    m = lightgbm.LGBMClassifier(n_estimators=30, num_leaves=15, verbose=-1, random_state=1)
    lgbm_model(out, m, load_breast_cancer, True)


@model
def lgbm_multiclass(out):
    m = lightgbm.LGBMClassifier(n_estimators=10, num_leaves=7, verbose=-1, random_state=1)
    lgbm_model(out, m, load_wine, True)


@model
def lgbm_strings(out):
    m = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=7, verbose=-1, random_state=1)
    lgbm_model(out, m, load_iris, True, names=["setosa", "versicolor", "virginica"])


@model
def lgbm_regressor(out):
    m = lightgbm.LGBMRegressor(n_estimators=30, num_leaves=15, verbose=-1, random_state=1)
    lgbm_model(out, m, load_diabetes)


@model
def lgbm_split(out):
    m = lightgbm.LGBMRegressor(n_estimators=40, num_leaves=15, verbose=-1, random_state=1)

    def convert(m, **kwargs):
        return onnxmltools.convert_lightgbm(m, split=10, **kwargs)

    boosted(out, m, convert, load_diabetes, False)


@model
def lgbm_ranker(out):
    m = lightgbm.LGBMRanker(n_estimators=10, num_leaves=7, verbose=-1, random_state=1)

    def convert(m, **kwargs):
        return onnxmltools.convert_lightgbm(m.booster_, **kwargs)

    boosted(out, m, convert, load_wine, False, fit={"group": [89, 89]})


@model
def lgbm_poisson(out):
    m = lightgbm.LGBMRegressor(objective="poisson", n_estimators=10, num_leaves=7, verbose=-1, random_state=1)
    lgbm_model(out, m, load_diabetes)


@model
def lgbm_absolute(out):
    m = lightgbm.LGBMRegressor(objective="quantile", alpha=0.8, n_estimators=10, num_leaves=7, verbose=-1, random_state=1)
    lgbm_model(out, m, load_diabetes)


@model
@differs("the logistic function is taken of the sum of all trees instead of their average, and divided by 100")
def lgbm_forest(out):
    m = lightgbm.LGBMClassifier(boosting_type="rf", subsample=0.7, subsample_freq=1, n_estimators=8, num_leaves=7,
                                verbose=-1, random_state=1)
    lgbm_model(out, m, load_breast_cancer, True)


@model
def lgbm_forest_regressor(out):
    """The converter averages over 100 trees, however many there are."""
    m = lightgbm.LGBMRegressor(boosting_type="rf", subsample=0.7, subsample_freq=1, n_estimators=100, num_leaves=4,
                               verbose=-1, random_state=1)
    lgbm_model(out, m, load_diabetes)


@model
def lgbm_dropped(out):
    m = lightgbm.LGBMRegressor(boosting_type="dart", n_estimators=12, num_leaves=7, verbose=-1, random_state=1)
    lgbm_model(out, m, load_diabetes)


@model
@differs("softmax is taken of the scores, where the library takes the logistic function of each")
def lgbm_one_against_all(out):
    m = lightgbm.LGBMClassifier(objective="multiclassova", n_estimators=6, num_leaves=7, verbose=-1, random_state=1)
    lgbm_model(out, m, load_wine, True)


def categories():
    random = np.random.RandomState(3)
    x = np.stack([random.randint(0, 12, 400), random.randint(0, 5, 400), random.randn(400)], axis=1).astype(np.float32)
    y = np.isin(x[:, 0], [1, 4, 7, 11]) * 2.0 + (x[:, 1] == 3) + x[:, 2] * 0.1
    m = lightgbm.LGBMRegressor(n_estimators=8, num_leaves=7, verbose=-1, random_state=1, min_data_per_group=5, cat_smooth=1)
    m.fit(pandas.DataFrame(x, columns=["a", "b", "c"]), y, categorical_feature=["a", "b"])
    return m, x[:40], m.predict(pandas.DataFrame(x[:40], columns=["a", "b", "c"])).reshape(-1, 1)


@model
def lgbm_categories(out):
    """Categories that are integers: their sets become chains of equalities."""
    m, x, y = categories()
    exported = onnxmltools.convert_lightgbm(m, initial_types=[("X", FloatTensorType([None, 3]))], target_opset=15)
    write(out, exported, [x], [y.astype(np.float32)])


@model
def lgbm_sets(out):
    """The same trees as version 5 of the operator has them: with sets. No converter writes it yet."""
    m, x, y = categories()
    trees = Trees()
    for tree in m.booster_.dump_model()["tree_info"]:
        trees.roots.append(trees.split(tree["tree_structure"])[0])
    ports = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width]) for name, width in (("X", 3), ("Y", 1))]
    graph = helper.make_graph([trees.node()], "trees", ports[:1], ports[1:])
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    write(out, helper.make_model(graph, opset_imports=imports, ir_version=10), [x.astype(np.float64)], [y])


class Trees:
    """LightGBM's dump of its trees as the arrays of TreeEnsemble."""

    def __init__(self):
        self.roots, self.splits, self.leaves, self.members = [], [], [], []

    def split(self, node):
        """Where a node is, and whether it is a leaf."""
        if "leaf_value" in node:
            self.leaves.append(node["leaf_value"])
            return len(self.leaves) - 1, 1
        place = len(self.splits)
        members = node["decision_type"] == "=="
        self.splits.append(None)
        if members:
            self.members.extend([*map(float, node["threshold"].split("||")), np.nan])
        yes, no = self.split(node["left_child"]), self.split(node["right_child"])
        threshold = 0.0 if members else node["threshold"]
        self.splits[place] = (6 if members else 0, node["split_feature"], threshold, *yes, *no)
        return place, 0

    def node(self):
        modes, features, thresholds, true, true_leaves, false, false_leaves = zip(*self.splits)

        def tensor(kind, values):
            return helper.make_tensor("values", kind, [len(values)], values)

        return helper.make_node(
            "TreeEnsemble", ["X"], ["Y"], domain="ai.onnx.ml", n_targets=1, tree_roots=self.roots,
            nodes_modes=tensor(TensorProto.UINT8, modes), nodes_featureids=features,
            nodes_splits=tensor(TensorProto.DOUBLE, thresholds), nodes_truenodeids=true, nodes_trueleafs=true_leaves,
            nodes_falsenodeids=false, nodes_falseleafs=false_leaves, leaf_targetids=[0] * len(self.leaves),
            leaf_weights=tensor(TensorProto.DOUBLE, self.leaves),
            membership_values=tensor(TensorProto.DOUBLE, self.members),
        )


def cat_model(out, m, loader, proba=False):
    x, y, sample = rows(loader)
    m.fit(x, y)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        m.save_model(file.name, format="onnx")
        exported = onnx.load(file.name)
    if not proba:
        return write(out, exported, [sample], [m.predict(sample).reshape(-1, 1).astype(np.float32)])
    scores = m.predict_proba(sample), [int(c) for c in m.classes_]
    write(out, exported, [sample], [labels(m.predict(sample).ravel()), scores])


@model
def cat(out):
    cat_model(out, catboost.CatBoostClassifier(iterations=15, depth=4, verbose=0, random_seed=1), load_breast_cancer, True)


@model
def cat_multiclass(out):
    cat_model(out, catboost.CatBoostClassifier(iterations=6, depth=3, verbose=0, random_seed=1), load_wine, True)


@model
def cat_regressor(out):
    cat_model(out, catboost.CatBoostRegressor(iterations=15, depth=4, verbose=0, random_seed=1), load_diabetes)
