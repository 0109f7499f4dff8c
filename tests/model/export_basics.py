"""scikit-learn's linear models, trees, nets and scalers."""

import numpy as np
from export_layout import classifier, convert, labels, model, regressor, rows, transformer, write
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris, load_wine
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
def tree_leaves(out):
    """Beside the classes, which leaf a row comes to."""
    x, y, sample = rows(load_wine)
    m = DecisionTreeClassifier(max_depth=4, random_state=1).fit(x, y)
    exported = convert(m, x, {id(m): {"zipmap": False, "decision_leaf": True}})
    given = [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32), labels(m.apply(sample))[:, None]]
    write(out, exported, [sample], given)


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
