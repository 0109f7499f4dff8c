"""What is done to features: encoders, scalers, selections, texts, and data frames whose columns differ in type."""

import numpy as np
import pandas
from export_layout import classifier, convert, differs, kind, labels, model, pierced, rows, transformer, write
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.decomposition import PCA, IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomTreesEmbedding
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import RFE, SelectFromModel, SelectPercentile, VarianceThreshold
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    LabelBinarizer,
    LabelEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection


@model
def variance_selected(out):
    transformer(out, VarianceThreshold(0.1))


@model
def model_selected(out):
    m = make_pipeline(SelectFromModel(ExtraTreesClassifier(10, random_state=1)), LogisticRegression(max_iter=5000))
    classifier(out, m, load_wine, zipmap=False)


@model
def eliminated(out):
    transformer(out, RFE(LogisticRegression(max_iter=5000), n_features_to_select=4), load_wine)


@model
def percentile_selected(out):
    transformer(out, SelectPercentile(percentile=30))


@model
def truncated_svd(out):
    transformer(out, TruncatedSVD(3, random_state=1), load_wine)


@model
def incremental_pca(out):
    transformer(out, make_pipeline(StandardScaler(), IncrementalPCA(3)))


@model
def whitened_pca(out):
    transformer(out, make_pipeline(StandardScaler(), PCA(3, whiten=True, random_state=1)), dtype=np.float64)


@model
def kernel_pca(out):
    transformer(out, make_pipeline(StandardScaler(), KernelPCA(3, kernel="rbf", gamma=0.1)), load_iris)


@model
def projected(out):
    transformer(out, GaussianRandomProjection(4, random_state=1), load_wine)


@model
def trees_embedding(out):
    x, _, sample = rows(load_iris)
    m = RandomTreesEmbedding(4, max_depth=3, sparse_output=False, random_state=1).fit(x)
    write(out, convert(m, x), [sample], [m.transform(sample).astype(np.float32)])


@model
def bins(out):
    transformer(out, KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"), load_iris)


@model
def bins_one_hot(out):
    m = KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform")
    classifier(out, make_pipeline(m, LogisticRegression()), load_iris, zipmap=False)


@model
def powers(out):
    transformer(out, PowerTransformer(standardize=False), load_iris)


@model
def powers_positive(out):
    transformer(out, PowerTransformer("box-cox", standardize=False), load_iris)


@model
def quantiles(out):
    transformer(out, QuantileTransformer(n_quantiles=20, random_state=1), load_iris)


@model
def function_only(out):
    transformer(out, make_union(FunctionTransformer(), Binarizer(threshold=1.5)), load_iris)


@model
def knn_imputed(out):
    # Measured finely enough that no two neighbours are equally far away: which of those counts is left open.
    transformer(out, make_pipeline(StandardScaler(), KNNImputer(n_neighbors=3)), load_wine, holes=True)


@model
def imputed_median_double(out):
    transformer(out, make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), load_wine, holes=True,
                dtype=np.float64)


@model
@differs("the columns that say what was missing are left out")
def imputed_with_marks(out):
    transformer(out, SimpleImputer(strategy="constant", fill_value=-1, add_indicator=True), load_iris, holes=True)


@model
def imputed_integers(out):
    x = np.random.RandomState(1).randint(-1, 5, (40, 3)).astype(np.int64)
    m = SimpleImputer(missing_values=-1.0, strategy="most_frequent").fit(x)
    write(out, convert(m, x, dtype=np.int64), [x[:20]], [m.transform(x[:20])])


def encoded(out, m, x, sample, given, dtype):
    write(out, convert(m, x, dtype=dtype), [sample], [given])


def words(count=40):
    random = np.random.RandomState(5)
    columns = [random.choice(["red", "green", "blue", "grün"], count), random.choice(["s", "m", "l"], count)]
    return np.stack(columns, axis=1).astype(object)


@model
def one_hot_strings(out):
    x = words()
    sample = np.concatenate([x[:20], np.asarray([["pink", "m"], ["red", "xl"]], dtype=object)])
    m = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(x)
    encoded(out, m, x, sample, m.transform(sample).astype(np.float32), object)


@model
def one_hot_integers(out):
    x = np.random.RandomState(1).randint(0, 4, (40, 3)).astype(np.int64)
    m = OneHotEncoder(drop="first", sparse_output=False).fit(x)
    encoded(out, m, x, x[:20], m.transform(x[:20]).astype(np.float32), np.int64)


@model
def one_hot_rare(out):
    frame = pandas.DataFrame(words(60), columns=["colour", "size"])
    frame.loc[:1, "colour"] = ["cyan", "teal"]
    m = OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist", sparse_output=False).fit(frame)
    types = [(name, StringTensorType([None, 1])) for name in frame]
    inputs = [frame[[name]].to_numpy(object) for name in frame]
    write(out, to_onnx(m, initial_types=types), inputs, [m.transform(frame).astype(np.float32)])


@model
def ordinal_strings(out):
    x = words()
    sample = np.concatenate([x[:20], np.asarray([["pink", "m"]], dtype=object)])
    m = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float32).fit(x)
    encoded(out, m, x, sample, m.transform(sample), object)


@model
def ordinal_integers(out):
    x = np.random.RandomState(1).randint(3, 9, (40, 2)).astype(np.int64)
    m = OrdinalEncoder(dtype=np.int64).fit(x)
    encoded(out, m, x, x[:20], m.transform(x[:20]), np.int64)


@model
def target_strings(out):
    x = words()
    y = (x[:, 0] == "red") * 1.5 + (x[:, 1] == "s") + np.arange(len(x)) * 0.01
    m = TargetEncoder(target_type="continuous").fit(x, y)
    encoded(out, m, x, x[:20], m.transform(x[:20]).astype(np.float32), object)


@model
def label_strings(out):
    y = words()[:, 0]
    m = LabelEncoder().fit(y)
    exported = to_onnx(m, initial_types=[("X", StringTensorType([None]))])
    write(out, exported, [y], [m.transform(y).astype(np.int64)])


@model
def label_bits(out):
    y = np.asarray([3, 5, 9, 5, 3, 9], dtype=np.int64)
    m = LabelBinarizer().fit(y)
    exported = to_onnx(m, initial_types=[("X", Int64TensorType([None]))])
    write(out, exported, [y], [m.transform(y).astype(np.int64)])


@model
def imputed_strings(out):
    x = words()
    x[::7, 0] = ""
    m = SimpleImputer(missing_values="", strategy="most_frequent").fit(x)
    encoded(out, m, x, x[:20], m.transform(x[:20]), object)


def customers(count=200):
    random = np.random.RandomState(11)
    frame = pandas.DataFrame({
        "age": random.uniform(18, 80, count).astype(np.float32),
        "balance": (random.randn(count) * 1000).astype(np.float32),
        "visits": random.randint(0, 30, count).astype(np.int64),
        "city": random.choice(["Lyon", "Köln", "Porto", "Graz"], count),
        "plan": random.choice(["free", "basic", "pro"], count),
    })
    frame.loc[::9, "age"] = np.nan
    frame[["city", "plan"]] = frame[["city", "plan"]].astype(object)
    risk = frame["balance"] / 1000 + (frame["plan"] == "pro") * 2 - frame["visits"] / 10 + (frame["city"] == "Graz")
    return frame, np.where(risk > 0, "stays", "leaves")


def framed(out, m, y, given=None, columns=("age", "balance", "visits", "city", "plan")):
    """A model over a data frame: an input a column."""
    frame, target = customers()
    frame = frame[list(columns)]
    m.fit(frame, target if y is None else y)
    types = [(name, kind(dtype.type if dtype != object else object)([None, 1])) for name, dtype in frame.dtypes.items()]
    sample = frame.iloc[::8]
    options = {id(m): {"zipmap": False}} if hasattr(m, "predict") else None
    exported = to_onnx(m, initial_types=types, options=options)
    inputs = [sample[[name]].to_numpy(frame[name].dtype) for name in columns]
    expected = [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32)] if given is None else given(sample)
    write(out, exported, inputs, expected)


def steps(**unknown):
    return ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["age", "balance"]),
        ("counts", StandardScaler(), ["visits"]),
        ("words", OneHotEncoder(**unknown), ["city", "plan"]),
    ])


@model
def frame_logistic(out):
    framed(out, make_pipeline(steps(handle_unknown="ignore"), LogisticRegression(max_iter=500)), None)


@model
def frame_forest(out):
    framed(out, make_pipeline(steps(drop="if_binary"), RandomForestClassifier(10, max_depth=4, random_state=1)), None)


@model
def frame_ordinal(out):
    m = ColumnTransformer([
        ("words", OrdinalEncoder(), ["city", "plan"]),
        ("rest", "passthrough", ["balance"]),
    ])
    m = make_pipeline(m, ExtraTreesClassifier(5, max_depth=4, random_state=1))
    framed(out, m, None, columns=("balance", "city", "plan"))


@model
def frame_features(out):
    m = steps(handle_unknown="ignore", sparse_output=False)
    framed(out, m, None, given=lambda sample: [m.transform(sample).astype(np.float32)])


TEXTS = [
    "The delivery was late and the box was damaged",
    "Great service, fast delivery. Will buy again!",
    "late again; the courier lost the box",
    "I will never buy here again",
    "Fast, friendly and cheap",
    "cheap but damaged on arrival",
    "friendly courier, great box",
    "the service was great",
    "",
    "Lost, late, damaged: never again",
]


def texts(out, m, final=None, sample=None):
    x = np.asarray(TEXTS, dtype=object)
    y = np.asarray([0, 1, 0, 0, 1, 0, 1, 1, 1, 0])
    m = make_pipeline(m, final) if final else make_pipeline(m)
    m.fit(x, y)
    sample = x if sample is None else np.asarray(sample, dtype=object)
    options = {id(final): {"zipmap": False}} if final else None
    exported = to_onnx(m, initial_types=[("X", StringTensorType([None, 1]))], options=options)
    if final:
        given = [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32)]
    else:
        given = [m.transform(sample).toarray().astype(np.float32)]
    write(out, exported, [sample.reshape(-1, 1)], given)


@model
def text_counts(out):
    texts(out, CountVectorizer())


@model
def text_pairs(out):
    texts(out, CountVectorizer(ngram_range=(1, 2), binary=True))


@model
def text_frequencies(out):
    texts(out, TfidfVectorizer(smooth_idf=False), LogisticRegression())


@model
@differs("the logarithm of a count is taken of one more than it, instead of being raised by one")
def text_sublinear(out):
    texts(out, TfidfVectorizer(sublinear_tf=True), LogisticRegression())


@model
def text_stop_words(out):
    texts(out, TfidfVectorizer(stop_words=["the", "and", "was"], norm="l1"), MultinomialNB())


@model
def text_pattern(out):
    texts(out, CountVectorizer(token_pattern=r"[a-z]+|[,.;:!]", lowercase=False), sample=TEXTS + ["Lost, found."])


@model
def text_letters(out):
    texts(out, CountVectorizer(analyzer="char"), LogisticRegression())


@model
def text_separators(out):
    x = np.asarray([text.lower() for text in TEXTS if text], dtype=object)
    m = TfidfVectorizer(token_pattern=r"[^ ,.;:!]+", lowercase=False).fit(x)
    options = {TfidfVectorizer: {"separators": [" ", "[.]", ",", ";", ":", "!"]}}
    exported = to_onnx(m, initial_types=[("X", StringTensorType([None, 1]))], options=options)
    write(out, exported, [x.reshape(-1, 1)], [m.transform(x).toarray().astype(np.float32)])


@model
def text_hashed(out):
    x = words()
    m = FeatureHasher(16, input_type="string").fit(x)
    encoded(out, m, x, x[:20], m.transform(x[:20]).toarray(), object)


@model
def text_weights(out):
    x = np.random.RandomState(2).poisson(0.7, (20, 8)).astype(np.float32)
    m = TfidfTransformer(smooth_idf=False).fit(x)
    write(out, convert(m, x), [x], [m.transform(x).toarray().astype(np.float32)])


@model
def text_and_numbers(out):
    frame = pandas.DataFrame({"text": TEXTS, "stars": np.arange(10, dtype=np.float32) % 5})
    m = ColumnTransformer([("text", TfidfVectorizer(), "text"), ("stars", StandardScaler(), ["stars"])])
    m = make_pipeline(m, LogisticRegression()).fit(frame, np.arange(10) % 3)
    types = [("text", StringTensorType([None, 1])), ("stars", FloatTensorType([None, 1]))]
    exported = to_onnx(m, initial_types=types, options={id(m): {"zipmap": False}})
    inputs = [frame[["text"]].to_numpy(object), frame[["stars"]].to_numpy(np.float32)]
    write(out, exported, inputs, [labels(m.predict(frame)), m.predict_proba(frame).astype(np.float32)])


@model
def holes_everywhere(out):
    x, y, sample = rows(load_breast_cancer)
    m = make_pipeline(SimpleImputer(), PCA(5, random_state=1), LogisticRegression(max_iter=500)).fit(pierced(x), y)
    exported = convert(m, x, {id(m): {"zipmap": False}})
    sample = pierced(sample)
    write(out, exported, [sample], [labels(m.predict(sample)), m.predict_proba(sample).astype(np.float32)])
