"""scikit-learn beyond linear models and trees: machines, neighbours, mixtures, and estimators made of others."""

import numpy as np
from export_layout import classifier, convert, differs, kind, labels, model, regressor, rows, write
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, RationalQuadratic, WhiteKernel
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    GammaRegressor,
    HuberRegressor,
    Lars,
    LinearRegression,
    LogisticRegression,
    MultiTaskLasso,
    OrthogonalMatchingPursuit,
    PassiveAggressiveRegressor,
    Perceptron,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    Ridge,
    SGDOneClassSVM,
    SGDRegressor,
    TheilSenRegressor,
    TweedieRegressor,
)
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


def labels_alone(exported):
    """Without the scores, for the library gives none, or not as the file does."""
    del exported.graph.output[1:]
    return exported


def machine(out, m, loader, names=None, dtype=np.float32):
    """A support vector machine whose scores are those of its decision function."""
    x, y, sample = rows(loader, dtype=dtype)
    if names:
        y = np.asarray([names[v] for v in y])
    m = make_pipeline(StandardScaler(), m).fit(x, y)
    exported = convert(m, x, {id(m[-1]): {"zipmap": False, "raw_scores": True}}, dtype)
    scores = m.decision_function(sample)
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1)
    write(out, exported, [sample], [labels(m.predict(sample)), scores.astype(dtype)])


@model
def svc_rbf(out):
    machine(out, SVC(), load_breast_cancer)


@model
def svc_poly(out):
    machine(out, SVC(kernel="poly", coef0=0.5), load_wine, names=["a", "b", "c"])


@model
def svc_sigmoid_pairs(out):
    machine(out, SVC(kernel="sigmoid", gamma=0.02, decision_function_shape="ovo"), load_wine)


@model
def svc_linear_double(out):
    machine(out, SVC(kernel="linear"), load_wine, dtype=np.float64)


@model
def svc_probability(out):
    m = make_pipeline(StandardScaler(), SVC(kernel="linear", probability=True, random_state=1))
    classifier(out, m, load_wine, zipmap=False)


@model
def nu_svc_probability(out):
    m = make_pipeline(StandardScaler(), NuSVC(nu=0.3, probability=True, random_state=1))
    classifier(out, m, names=["malignant", "benign"])


@model
def svr_rbf(out):
    regressor(out, make_pipeline(StandardScaler(), SVR(C=20)))


@model
def svr_poly(out):
    regressor(out, make_pipeline(StandardScaler(), SVR(kernel="poly", degree=2, coef0=1, C=20)))


@model
def nu_svr_sigmoid(out):
    regressor(out, make_pipeline(StandardScaler(), NuSVR(kernel="sigmoid", gamma=0.05)))


@model
def linear_svr(out):
    regressor(out, make_pipeline(StandardScaler(), LinearSVR(random_state=1)))


def outliers(out, m, shaped=lambda y: y[:, None]):
    x, _, sample = rows(load_wine)
    m.fit(x)
    exported = convert(m, x, target_opset={"": 18, "ai.onnx.ml": 3})
    given = [labels(m.predict(sample)), m.decision_function(sample).astype(np.float32)]
    write(out, exported, [sample], [shaped(each) for each in given])


def column(y):
    """Some converters give labels as a column."""
    return labels(y)[:, None]


@model
def one_class_svm(out):
    outliers(out, make_pipeline(StandardScaler(), OneClassSVM(nu=0.2)))


@model
def sgd_one_class(out):
    outliers(out, make_pipeline(StandardScaler(), SGDOneClassSVM(nu=0.2, random_state=1)), shaped=lambda y: y)


@model
def isolation_forest(out):
    outliers(out, IsolationForest(n_estimators=10, random_state=1))


@model
def local_outlier_factor(out):
    outliers(out, make_pipeline(StandardScaler(), LocalOutlierFactor(5, novelty=True)))


@model
def knn(out):
    classifier(out, KNeighborsClassifier(5), load_iris, zipmap=False)


@model
@differs("distances are negated before weights are made of them, so that all weights are equal")
def knn_weighted(out):
    classifier(out, KNeighborsClassifier(3, weights="distance"), load_wine, names=["a", "b", "c"])


@model
def knn_cdist(out):
    classifier(out, KNeighborsClassifier(3), load_wine, zipmap=False, optim="cdist")


@model
def knn_regressor(out):
    regressor(out, KNeighborsRegressor(4))


@model
def knn_regressor_cdist(out):
    x, y, sample = rows(load_diabetes)
    m = KNeighborsRegressor(4).fit(x, y)
    exported = convert(m, x, {id(m): {"optim": "cdist"}})
    write(out, exported, [sample], [m.predict(sample).reshape(-1, 1).astype(np.float32)])


@model
def neighbours_cdist(out):
    x, _, sample = rows(load_wine)
    m = NearestNeighbors(n_neighbors=3, radius=None).fit(x[::3])
    exported = convert(m, x, {id(m): {"optim": "cdist"}})
    distances, places = m.kneighbors(sample)
    write(out, exported, [sample], [places.astype(np.int64), distances.astype(np.float32)])


@model
@differs("too few neighbours are filled up with the place -1, which ArrayFeatureExtractor refuses")
def radius_neighbours(out):
    m = make_pipeline(StandardScaler(), RadiusNeighborsClassifier(2.0))
    classifier(out, m, load_iris, zipmap=False)


@model
def gaussian_process(out):
    m = GaussianProcessRegressor(ConstantKernel(2.0) * RBF(3.0) + WhiteKernel(0.1), alpha=0.1, optimizer=None)
    processed(out, m, "cdist")


@model
def gaussian_process_scan(out):
    m = GaussianProcessRegressor(DotProduct() + RationalQuadratic(2.0, 1.5), alpha=0.1, optimizer=None)
    processed(out, m, None)


def processed(out, m, optim):
    x, y, sample = rows(load_iris, dtype=np.float64)
    m.fit(x[::3], y[::3].astype(float))
    exported = convert(m, x, {id(m): {"optim": optim}}, np.float64)
    write(out, exported, [sample], [m.predict(sample).reshape(-1, 1)])


@model
@differs("it writes com.microsoft:Solve, which is in no operator set")
def gaussian_process_classifier(out):
    x, y, sample = rows(load_iris, dtype=np.float64)
    m = GaussianProcessClassifier(RBF(2.0), optimizer=None).fit(x[::2], y[::2] == 1)
    exported = convert(m, x, {id(m): {"optim": "cdist", "zipmap": False}}, np.float64)
    write(out, exported, [sample], [labels(m.predict(sample)), m.predict_proba(sample)])


def clustered(out, m, options=None):
    x, _, sample = rows(load_wine)
    m = make_pipeline(StandardScaler(), m).fit(x)
    write(out, convert(m, x, options), [sample], [labels(m.predict(sample)), m.transform(sample).astype(np.float32)])


@model
def kmeans(out):
    clustered(out, KMeans(4, random_state=1))


@model
def mini_batch_kmeans(out):
    clustered(out, MiniBatchKMeans(3, random_state=1))


def mixed(out, m):
    x, _, sample = rows(load_iris)
    m.fit(x)
    write(out, convert(m, x), [sample], [column(m.predict(sample)), m.predict_proba(sample).astype(np.float32)])


@model
def gaussian_mixture(out):
    mixed(out, GaussianMixture(3, random_state=1))


@model
def gaussian_mixture_diagonal(out):
    mixed(out, BayesianGaussianMixture(n_components=3, covariance_type="diag", random_state=1))


@model
@differs("of two classes softmax is taken of both scores, where the library takes the logistic function of one")
def linear_discriminant(out):
    classifier(out, LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), zipmap=False)


@model
def quadratic_discriminant(out):
    x, y, sample = rows(load_wine)
    m = QuadraticDiscriminantAnalysis().fit(x, y)
    exported = convert(m, x, {id(m): {"zipmap": False}})
    write(out, exported, [sample], [column(m.predict(sample)).T, m.predict_proba(sample).astype(np.float32)])


@model
def bayes_multinomial(out):
    classifier(out, MultinomialNB(), load_iris, zipmap=False)


@model
def bayes_complement(out):
    classifier(out, make_pipeline(MinMaxScaler(), ComplementNB()), load_iris)


@model
def bayes_gaussian_double(out):
    classifier(out, GaussianNB(), load_wine, zipmap=False, dtype=np.float64)


@model
def bayes_categorical(out):
    x, y, sample = rows(load_iris)
    x, sample = np.floor(x).astype(np.int64), np.floor(sample).astype(np.int64)
    m = CategoricalNB().fit(x, y)
    exported = convert(m, x, {id(m): {"zipmap": False}}, np.int64)
    write(out, exported, [sample], [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32)])


@model
def voting_soft(out):
    parts = [("a", LogisticRegression(max_iter=2000)), ("b", GaussianNB()), ("c", DecisionTreeClassifier(max_depth=3))]
    classifier(out, VotingClassifier(parts, voting="soft", weights=np.array([2, 1, 1]), flatten_transform=False), load_wine)


@model
def voting_hard(out):
    x, y, sample = rows(load_wine)
    parts = [("a", LogisticRegression(max_iter=2000)), ("b", GaussianNB()), ("c", DecisionTreeClassifier(max_depth=3))]
    m = VotingClassifier(parts, flatten_transform=False).fit(x, y)
    write(out, labels_alone(convert(m, x, {id(m): {"zipmap": False}})), [sample], [labels(m.predict(sample))])


@model
def voting_regressor(out):
    regressor(out, VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3, random_state=1))]))


@model
def stacking(out):
    parts = [("a", DecisionTreeClassifier(max_depth=3, random_state=1)), ("b", GaussianNB())]
    classifier(out, StackingClassifier(parts, LogisticRegression(), cv=3), load_iris, zipmap=False)


@model
def stacking_regressor(out):
    parts = [("a", DecisionTreeRegressor(max_depth=3, random_state=1)), ("b", Ridge())]
    regressor(out, StackingRegressor(parts, LinearRegression(), cv=3))


@model
def calibrated_sigmoid(out):
    m = CalibratedClassifierCV(DecisionTreeClassifier(max_depth=3, random_state=1), cv=3)
    classifier(out, m, load_iris, zipmap=False)


@model
def calibrated_isotonic(out):
    m = CalibratedClassifierCV(RandomForestClassifier(5, max_depth=3, random_state=1), method="isotonic", cv=3)
    classifier(out, m, zipmap=False)


@model
def one_vs_rest(out):
    classifier(out, OneVsRestClassifier(LogisticRegression(max_iter=2000)), load_wine, zipmap=False)


@model
def one_vs_one(out):
    x, y, sample = rows(load_iris)
    m = OneVsOneClassifier(LogisticRegression(max_iter=2000)).fit(x, y)
    scores = m.decision_function(sample).astype(np.float32)
    write(out, convert(m, x, {id(m): {"zipmap": False}}), [sample], [column(m.predict(sample)), scores])


@model
def one_vs_rest_trees(out):
    x, y, sample = rows(load_wine)
    m = OneVsRestClassifier(DecisionTreeClassifier(max_depth=3, random_state=1)).fit(x, y)
    exported = convert(m, x, {id(m): {"zipmap": False}})
    write(out, exported, [sample], [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32)])


@model
def several_classifiers(out):
    x, y, sample = rows(load_iris)
    y = np.stack([y, y == 1], axis=1).astype(np.int64)
    m = MultiOutputClassifier(LogisticRegression(max_iter=2000)).fit(x, y)
    scores = [scores.astype(np.float32) for scores in m.predict_proba(sample)]
    write(out, convert(m, x), [sample], [labels(m.predict(sample)), scores])


@model
def several_classifiers_labels(out):
    x, y, sample = rows(load_iris)
    y = np.stack([y, y == 1], axis=1).astype(np.int64)
    m = MultiOutputClassifier(DecisionTreeClassifier(max_depth=3, random_state=1)).fit(x, y)
    write(out, labels_alone(convert(m, x)), [sample], [labels(m.predict(sample))])


@model
def several_regressors(out):
    regressor(out, MultiOutputRegressor(DecisionTreeRegressor(max_depth=3, random_state=1)), two=True)


@model
def bagging(out):
    m = BaggingClassifier(DecisionTreeClassifier(max_depth=3), 5, max_features=0.5, random_state=1)
    classifier(out, m, load_wine, zipmap=False)


@model
def bagging_regressor(out):
    regressor(out, BaggingRegressor(DecisionTreeRegressor(max_depth=3), 5, random_state=1))


@model
def ada_regressor(out):
    regressor(out, AdaBoostRegressor(DecisionTreeRegressor(max_depth=3), n_estimators=5, random_state=1))


@model
def searched(out):
    classifier(out, GridSearchCV(LogisticRegression(max_iter=2000), {"C": [0.1, 1.0]}, cv=2), load_iris, zipmap=False)


@model
def perceptron(out):
    classifier(out, make_pipeline(StandardScaler(), Perceptron(random_state=1)), load_wine,
               scores="decision_function", zipmap=False, raw_scores=True)


@model
def bernoulli_double(out):
    classifier(out, BernoulliNB(binarize=2.0), load_iris, zipmap=False, dtype=np.float64)


def scaled(out, m, **kwargs):
    regressor(out, make_pipeline(StandardScaler(), m), **kwargs)


@model
def ransac(out):
    scaled(out, RANSACRegressor(random_state=1), dtype=np.float64)


@model
def theil_sen(out):
    scaled(out, TheilSenRegressor(max_subpopulation=200, random_state=1))


@model
def huber(out):
    scaled(out, HuberRegressor())


@model
def quantile(out):
    scaled(out, QuantileRegressor(quantile=0.8, alpha=0.01))


@model
def poisson(out):
    scaled(out, PoissonRegressor())


@model
def gamma(out):
    scaled(out, GammaRegressor())


@model
def tweedie_double(out):
    scaled(out, TweedieRegressor(power=1.5), dtype=np.float64)


@model
def ard(out):
    scaled(out, ARDRegression())


@model
@differs("the product with the rows is left out of the variance")
def bayesian_ridge(out):
    x, y, sample = rows(load_diabetes)
    m = BayesianRidge().fit(x, y)
    exported = convert(m, x, {id(m): {"return_std": True}})
    mean, deviation = m.predict(sample, return_std=True)
    write(out, exported, [sample], [each.reshape(-1, 1).astype(np.float32) for each in (mean, deviation)])


@model
def lars(out):
    scaled(out, Lars(n_nonzero_coefs=4))


@model
def matching_pursuit(out):
    scaled(out, OrthogonalMatchingPursuit(n_nonzero_coefs=3))


@model
def passive_aggressive(out):
    scaled(out, PassiveAggressiveRegressor(random_state=1))


@model
def sgd_regressor(out):
    scaled(out, SGDRegressor(random_state=1))


@model
def multi_task_lasso(out):
    scaled(out, MultiTaskLasso(0.1), two=True)


@model
def partial_least_squares(out):
    regressor(out, PLSRegression(3), two=True)


@model
def integers(out):
    """Counts as int64 go into a tree and a linear model alike."""
    x, y, sample = rows(load_iris)
    x, sample = np.round(x * 10).astype(np.int64), np.round(sample * 10).astype(np.int64)
    parts = [("a", LogisticRegression(max_iter=2000)), ("b", DecisionTreeClassifier(max_depth=3, random_state=1))]
    m = VotingClassifier(parts, voting="soft", flatten_transform=False).fit(x, y)
    exported = to_onnx(m, initial_types=[("X", kind(np.int64)([None, 4]))], options={id(m): {"zipmap": False}})
    write(out, exported, [sample], [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32)])
