"""Trains models with XGBoost and LightGBM, and saves them as the libraries do, with what the libraries themselves predict.

    python -m venv venv
    venv/bin/pip install onnx==1.23.* xgboost==3.2.* lightgbm==4.7.* scikit-learn pandas numpy
    venv/bin/python tests/model/natives.py OUT [NAME ..]
    embergrid model verify OUT --rtol 1e-6 --atol 1e-6

Each model becomes OUT/NAME: model.json, model.ubj or model.txt, and samples in ONNX's test layout. The expected outputs are
those of `Booster.predict`, of a Booster read back from the file. Beside rows like those of the training, the inputs have
every value at which a decision could go wrong: each threshold and its neighbours, zeros of either sign and what is nearly
zero, infinities, NaN, and categories that training has not seen or that are none.
"""

import json
import pathlib
import sys
import warnings

import lightgbm
import numpy as np
import xgboost
from onnx import numpy_helper

warnings.filterwarnings("ignore")

MODELS = {}
#: Rows that a sample has at most.
ROWS = 160


def model(function):
    MODELS[function.__name__] = function
    return function


# Data


def table(rows=400, columns=5, seed=1, holes=0.0, zeros=0.0):
    """Features and a score that depends on them, noise included."""
    random = np.random.RandomState(seed)
    x = random.randn(rows, columns)
    score = x[:, 0] + 0.5 * x[:, 1] * x[:, 2 % columns] - np.abs(x[:, -1]) + 0.3 * random.randn(rows)
    x[random.rand(rows, columns) < zeros] = 0.0
    x[random.rand(rows, columns) < holes] = np.nan
    return x, score


def codes(rows=600, cardinalities=(4, 60), seed=2, holes=0.0):
    """Columns of categories, then two of numbers."""
    random = np.random.RandomState(seed)
    columns = [random.randint(0, count, rows).astype(float) for count in cardinalities]
    effects = [random.randn(count) for count in cardinalities]
    numbers = random.randn(rows, 2)
    score = sum(effect[column.astype(int)] for effect, column in zip(effects, columns)) + numbers[:, 0]
    x = np.column_stack(columns + [numbers])
    x[random.rand(*x.shape) < holes] = np.nan
    return x, score + 0.2 * random.randn(rows), list(range(len(cardinalities)))


def binary(score):
    return (score > np.median(score)).astype(float)


def thirds(score):
    return np.digitize(score, np.quantile(score, [0.33, 0.66])).astype(float)


def counts(score):
    return np.random.RandomState(3).poisson(np.exp(np.clip(score, -2, 2))).astype(float)


def positive(score):
    return np.exp(np.clip(score, -2, 2))


def unit(score):
    return 1 / (1 + np.exp(-score))


# Samples


def sample(x, thresholds, categories, dtype):
    """Rows of the training; then rows of which one value is replaced by one at which a decision could go wrong."""
    x = x.astype(dtype)
    random = np.random.RandomState(7)
    rows = [x[random.permutation(len(x))[:24]]]
    info = np.finfo(dtype)
    odd = [0.0, -0.0, np.nan, np.inf, -np.inf, info.max, info.min, info.tiny, 5e-46, 1e-35, -1e-35, 2e-35, 1e-40]
    none = [-1, -0.5, -0.99, 0.5, 1.7, -7, 255, 4096, 1e6, 2**24 - 1, 2**24, 2**24 + 2, 2**31, 1e10, np.nan, np.inf, -np.inf]
    for column in range(x.shape[1]):
        if column in categories:
            seen = np.unique(x[:, column])
            values = list(seen[~np.isnan(seen)]) + none
        else:
            limits = np.array(sorted(set(thresholds.get(column, []))), dtype)
            values = odd + [value for limit in limits for value in (limit, np.nextafter(limit, dtype(np.inf)), np.nextafter(limit, dtype(-np.inf)))]
        block = x[random.randint(0, len(x), len(values))].copy()
        block[:, column] = values
        rows.append(block)
    edges = np.concatenate(rows[1:])
    most = ROWS - len(rows[0])
    if len(edges) > most:
        edges = edges[np.sort(random.permutation(len(edges))[:most])]
    return np.concatenate([rows[0], edges]).astype(dtype)


def write(out, inputs, outputs):
    folder = out / "test_data_set_0"
    folder.mkdir(parents=True, exist_ok=True)
    for kind, name, value in (("input", "features", inputs), ("output", "prediction", outputs)):
        (folder / f"{kind}_0.pb").write_bytes(numpy_helper.from_array(np.ascontiguousarray(value), name).SerializeToString())


# XGBoost


def conditions(trees, categories):
    found = {}
    for tree in trees:
        for left, feature, condition in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"]):
            if left != -1 and feature not in categories:
                found.setdefault(feature, []).append(condition)
    return found


def types(x, categories):
    """What a DMatrix is told of categories."""
    if not categories:
        return {}
    kinds = ["c" if column in categories else "q" for column in range(x.shape[1])]
    return {"feature_types": kinds, "enable_categorical": True}


def xgb_save(out, booster, x, categories=(), file="model.json", names=None):
    out.mkdir(parents=True, exist_ok=True)
    booster.save_model(str(out / file))
    described = out / "described.json"
    booster.save_model(str(described))
    learner = json.loads(described.read_text())["learner"]
    described.unlink()
    gradient_booster = learner["gradient_booster"]
    trees = gradient_booster.get("gbtree", gradient_booster)["model"]["trees"]
    rows = sample(x, conditions(trees, categories), categories, np.float32)
    booster = xgboost.Booster(model_file=str(out / file))
    finite = ~np.isinf(rows).any(axis=1)
    matrix = xgboost.DMatrix(rows[finite], feature_names=names, **types(x, categories))
    expected = booster.predict(matrix)
    # It takes no infinities; this does, but before 3.2 it forgets what a dropped tree weighs.
    inplace = booster.inplace_predict(rows, validate_features=False)
    if np.array_equal(inplace[finite], expected, equal_nan=True):
        write(out, rows, inplace.astype(np.float32))
    else:
        assert gradient_booster["name"] == "dart"
        write(out, rows[finite], expected.astype(np.float32))


def xgb(out, x, y, objective, rounds=6, file="model.json", categories=(), names=None, obj=None, label=None, **params):
    data = xgboost.DMatrix(x, None, feature_names=names, **types(x, categories))
    (label or (lambda data: data.set_label(y)))(data)
    params = {"objective": objective, "max_depth": 4, "eta": 0.3, "seed": 1, "nthread": 1, "verbosity": 0} | params
    xgb_save(out, xgboost.train(params, data, rounds, obj=obj), x, categories, file, names)


@model
def xgb_squared(out):
    x, score = table(holes=0.1)
    xgb(out, x, score, "reg:squarederror")


@model
def xgb_logistic(out):
    x, score = table(holes=0.1)
    xgb(out, x, binary(score), "binary:logistic", rounds=4, max_depth=3)


@model
def xgb_logistic_ubj(out):
    """The model of `xgb_logistic` in the other format."""
    x, score = table(holes=0.1)
    xgb(out, x, binary(score), "binary:logistic", rounds=4, max_depth=3, file="model.ubj")


@model
def xgb_logitraw(out):
    x, score = table()
    xgb(out, x, binary(score), "binary:logitraw")


@model
def xgb_hinge(out):
    x, score = table()
    xgb(out, x, binary(score), "binary:hinge")


@model
def xgb_reg_logistic(out):
    x, score = table()
    xgb(out, x, unit(score), "reg:logistic")


@model
def xgb_poisson(out):
    x, score = table()
    xgb(out, x, counts(score), "count:poisson", file="model.ubj")


@model
def xgb_gamma(out):
    x, score = table()
    xgb(out, x, positive(score), "reg:gamma")


@model
def xgb_tweedie(out):
    x, score = table()
    xgb(out, x, counts(score), "reg:tweedie", tweedie_variance_power=1.3)


@model
def xgb_softprob(out):
    x, score = table(holes=0.1)
    xgb(out, x, thirds(score), "multi:softprob", num_class=3, file="model.ubj", rounds=2, max_depth=3)


@model
def xgb_softmax(out):
    x, score = table(holes=0.1)
    xgb(out, x, thirds(score), "multi:softmax", num_class=3, rounds=3, max_depth=2)


@model
def xgb_softmax_ties(out):
    """Four classes of which two are never seen: their margins are equal to the bit."""
    x, score = table()
    xgb(out, x, binary(score) + 2, "multi:softmax", num_class=4)


def ranked(out, objective, **params):
    x, score = table()
    y = thirds(score)

    def groups(data):
        data.set_label(y)
        data.set_group([20] * (len(y) // 20))

    xgb(out, x, y, objective, label=groups, **params)


@model
def xgb_pairwise(out):
    ranked(out, "rank:pairwise")


@model
def xgb_ndcg(out):
    ranked(out, "rank:ndcg", file="model.ubj")


@model
def xgb_map(out):
    x, score = table()
    y = binary(score)

    def groups(data):
        data.set_label(y)
        data.set_group([20] * (len(y) // 20))

    xgb(out, x, y, "rank:map", label=groups)


@model
def xgb_huber(out):
    x, score = table()
    xgb(out, x, score, "reg:pseudohubererror")


@model
def xgb_squared_log(out):
    x, score = table()
    xgb(out, x, positive(score), "reg:squaredlogerror")


@model
def xgb_absolute(out):
    x, score = table()
    xgb(out, x, score, "reg:absoluteerror")


@model
def xgb_quantiles(out):
    x, score = table()
    xgb(out, x, score, "reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9])


@model
def xgb_linear(out):
    """The name that squared error once had."""
    x, score = table()
    xgb(out, x, score, "reg:linear")


@model
def xgb_cox(out):
    x, score = table()
    xgb(out, x, positive(score) * np.where(np.arange(len(score)) % 5 == 0, -1, 1), "survival:cox")


@model
def xgb_aft(out):
    x, score = table()

    def bounds(data):
        data.set_float_info("label_lower_bound", positive(score))
        data.set_float_info("label_upper_bound", np.where(np.arange(len(score)) % 5 == 0, np.inf, positive(score)))

    xgb(out, x, score, "survival:aft", label=bounds, aft_loss_distribution="normal")


@model
def xgb_dart(out):
    x, score = table(holes=0.1)
    xgb(out, x, binary(score), "binary:logistic", booster="dart", rate_drop=0.5, rounds=5, max_depth=3)


@model
def xgb_dart_classes(out):
    x, score = table()
    xgb(out, x, thirds(score), "multi:softprob", num_class=3, booster="dart", rate_drop=0.4, file="model.ubj")


@model
def xgb_forest(out):
    x, score = table()
    xgb(out, x, binary(score), "binary:logistic", rounds=1, num_parallel_tree=8, subsample=0.6, colsample_bynode=0.7, eta=1)


@model
def xgb_forest_classes(out):
    x, score = table()
    xgb(out, x, thirds(score), "multi:softprob", num_class=3, rounds=2, num_parallel_tree=3, subsample=0.6)


@model
def xgb_base_score(out):
    x, score = table()
    xgb(out, x, binary(score), "binary:logistic", base_score=0.2, rounds=3, max_depth=2)


@model
def xgb_base_score_poisson(out):
    x, score = table()
    xgb(out, x, counts(score), "count:poisson", base_score=3.5)


@model
def xgb_targets(out):
    """Two targets, each with a base score of its own."""
    x, score = table(holes=0.05)
    xgb(out, x, np.column_stack([score + 100, score**2]), "reg:squarederror", rounds=3, max_depth=3)


@model
def xgb_labels(out):
    """Several yes or no at once."""
    x, score = table()
    xgb(out, x, np.column_stack([binary(score), binary(x[:, 1])]), "binary:logistic", file="model.ubj")


@model
def xgb_one_hot(out):
    """Splits off one category at a time."""
    x, score, categories = codes(cardinalities=(4, 7), holes=0.05)
    xgb(out, x, score, "reg:squarederror", categories=categories, max_cat_to_onehot=20, rounds=3)


@model
def xgb_partitions(out):
    """Splits categories into two sets."""
    x, score, categories = codes(holes=0.05)
    xgb(out, x, score, "reg:squarederror", categories=categories, max_cat_to_onehot=1, rounds=3)


@model
def xgb_partitions_ubj(out):
    x, score, categories = codes(holes=0.05)
    xgb(out, x, binary(score), "binary:logistic", categories=categories, max_cat_to_onehot=1, rounds=4, file="model.ubj")


@model
def xgb_cardinality(out):
    x, score, categories = codes(rows=4000, cardinalities=(900, 300))
    xgb(out, x, score, "reg:squarederror", categories=categories, max_cat_threshold=256, max_depth=6, rounds=20)


@model
def xgb_early_stopping(out):
    """`Booster.predict` uses all trees, not those up to the best iteration."""
    x, score = table(rows=80)
    held, labels = table(rows=80, seed=9)
    data, other = xgboost.DMatrix(x, binary(score)), xgboost.DMatrix(held, binary(labels))
    params = {"objective": "binary:logistic", "max_depth": 3, "eta": 1.0, "nthread": 1}
    booster = xgboost.train(params, data, 40, evals=[(other, "held")], early_stopping_rounds=3, verbose_eval=False)
    assert booster.best_iteration + 1 < booster.num_boosted_rounds()
    xgb_save(out, booster, x)


@model
def xgb_constant(out):
    """All labels are one: nothing to split."""
    x, score = table()
    xgb(out, x, np.full(len(score), 7.5), "reg:squarederror")


@model
def xgb_one_class(out):
    """All labels are 1: the base score is a probability of one."""
    x, score = table()
    xgb(out, x, np.ones(len(score)), "binary:logistic", rounds=2)


@model
def xgb_single_leaves(out):
    x, score = table()
    xgb(out, x, score, "reg:squarederror", gamma=1e9, rounds=3)


@model
def xgb_no_trees(out):
    x, score = table()
    xgb(out, x, binary(score), "binary:logistic", rounds=0, base_score=0.3)


@model
def xgb_never_trained(out):
    x, score = table()
    xgb(out, x, binary(score), "binary:logistic", rounds=0)


@model
def xgb_pruned(out):
    """The exact method prunes, and leaves what it has pruned in the file."""
    x, score = table(rows=200)
    xgb(out, x, score, "reg:squarederror", tree_method="exact", gamma=3.0, max_depth=6)


@model
def xgb_lossguide(out):
    x, score = table(holes=0.2)
    xgb(out, x, score, "reg:squarederror", grow_policy="lossguide", max_leaves=20, max_depth=0)


@model
def xgb_deep(out):
    x, score = table(rows=3000)
    xgb(out, x, score, "reg:squarederror", max_depth=24, min_child_weight=0, rounds=3)


@model
def xgb_wide(out):
    x, score = table(rows=300, columns=400)
    xgb(out, x, score, "reg:squarederror", rounds=20)


@model
def xgb_many(out):
    """Sums of many trees beside a large base score: the order in which 32 bits are added up shows."""
    x, score = table(rows=1000, holes=0.1)
    xgb(out, x, score + 1000, "reg:squarederror", rounds=800, eta=0.05)


@model
def xgb_many_classes(out):
    x, score = table(rows=1000)
    xgb(out, x, thirds(score), "multi:softmax", num_class=3, rounds=300)


@model
def xgb_huge_values(out):
    """Values near the end of 32 bits: thresholds may be infinite."""
    x, score = table(holes=0.3)
    x[:, 0] = np.where(np.isnan(x[:, 0]), np.nan, 3e38)
    x[:, 1] = np.where(x[:, 1] > 0, 3.3e38, -3.3e38)
    xgb(out, x, score, "reg:squarederror")


@model
def xgb_tiny_values(out):
    x, score = table()
    xgb(out, x * 1e-38, score, "reg:squarederror", tree_method="exact")


@model
def xgb_names(out):
    x, score = table()
    xgb(out, x, binary(score), "binary:logistic", names=["age", 'quo"ted', "NaN", "größe", "x y"], rounds=2, max_depth=2)


@model
def xgb_custom(out):
    """An objective of the caller's: the file names none, so predictions are margins."""
    x, score = table()
    xgb(out, x, score, "reg:squarederror", obj=lambda margin, data: (margin - data.get_label(), np.ones_like(margin)))


# LightGBM


def limits(text):
    found = {}
    for block in text.split("\nTree=")[1:]:
        lines = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        columns, values = lines.get("split_feature", "").split(), lines.get("threshold", "").split()
        for column, value, kind in zip(columns, values, lines.get("decision_type", "").split()):
            if not int(kind) & 1:
                found.setdefault(int(column), []).append(float(value))
    return found


def lgb_save(out, booster, x, categories=(), **kwargs):
    out.mkdir(parents=True, exist_ok=True)
    booster.save_model(str(out / "model.txt"), **kwargs)
    rows = sample(x, limits((out / "model.txt").read_text()), categories, np.float64)
    expected = lightgbm.Booster(model_file=str(out / "model.txt")).predict(rows)
    write(out, rows, expected)


def lgb(out, x, y, objective, rounds=6, categories=(), group=None, **params):
    params = {"objective": objective, "num_leaves": 12, "min_data_in_leaf": 5, "verbose": -1, "seed": 1, "num_threads": 1} | params
    data = lightgbm.Dataset(x, y, group=group, categorical_feature=list(categories), params=params)
    lgb_save(out, lightgbm.train(params, data, rounds), x, categories)


@model
def lgb_binary(out):
    x, score = table(holes=0.1)
    lgb(out, x, binary(score), "binary", sigmoid=0.7, rounds=4)


@model
def lgb_regression(out):
    x, score = table(holes=0.1, zeros=0.2)
    lgb(out, x, score, "regression")


@model
def lgb_sqrt(out):
    x, score = table()
    lgb(out, x, score * 10, "regression", reg_sqrt=True, rounds=3)


@model
def lgb_l1(out):
    x, score = table()
    lgb(out, x, score, "regression_l1")


@model
def lgb_l1_sqrt(out):
    x, score = table()
    lgb(out, x, score * 10, "regression_l1", reg_sqrt=True)


@model
def lgb_huber(out):
    x, score = table()
    lgb(out, x, score, "huber")


@model
def lgb_fair(out):
    x, score = table()
    lgb(out, x, score, "fair")


@model
def lgb_quantile(out):
    x, score = table()
    lgb(out, x, score, "quantile", alpha=0.8)


@model
def lgb_mape(out):
    x, score = table()
    lgb(out, x, score + 20, "mape")


@model
def lgb_poisson(out):
    x, score = table()
    lgb(out, x, counts(score), "poisson")


@model
def lgb_gamma(out):
    x, score = table()
    lgb(out, x, positive(score), "gamma")


@model
def lgb_tweedie(out):
    x, score = table()
    lgb(out, x, counts(score), "tweedie", rounds=3)


@model
def lgb_cross_entropy(out):
    x, score = table()
    lgb(out, x, unit(score), "cross_entropy")


@model
def lgb_cross_entropy_lambda(out):
    x, score = table()
    lgb(out, x, unit(score), "cross_entropy_lambda", rounds=3)


@model
def lgb_multiclass(out):
    x, score = table(holes=0.1)
    lgb(out, x, thirds(score), "multiclass", num_class=3, rounds=2)


@model
def lgb_ova(out):
    x, score = table(holes=0.1)
    lgb(out, x, thirds(score), "multiclassova", num_class=3, sigmoid=1.3)


@model
def lgb_lambdarank(out):
    x, score = table()
    lgb(out, x, thirds(score), "lambdarank", group=[20] * (len(x) // 20))


@model
def lgb_xendcg(out):
    x, score = table()
    lgb(out, x, thirds(score), "rank_xendcg", group=[20] * (len(x) // 20))


@model
def lgb_forest(out):
    x, score = table()
    lgb(out, x, binary(score), "binary", boosting="rf", bagging_freq=1, bagging_fraction=0.6, rounds=5)


@model
def lgb_forest_classes(out):
    x, score = table()
    lgb(out, x, thirds(score), "multiclass", num_class=3, boosting="rf", bagging_freq=1, bagging_fraction=0.6, rounds=3, num_leaves=6)


@model
def lgb_dart(out):
    x, score = table()
    lgb(out, x, score, "regression", boosting="dart", drop_rate=0.5, rounds=8)


@model
def lgb_goss(out):
    x, score = table()
    lgb(out, x, score, "regression", data_sample_strategy="goss", rounds=8)


@model
def lgb_zeros(out):
    """Zero is missing, and so is NaN."""
    x, score = table(rows=800, holes=0.1, zeros=0.3)
    score = score + 2.0 * (x[:, 1] == 0) - 2.0 * (x[:, 3] == 0)
    lgb(out, x, score, "regression", zero_as_missing=True, rounds=4)


@model
def lgb_none_missing(out):
    """Nothing is missing: NaN is zero."""
    x, score = table(holes=0.1)
    lgb(out, x, score, "regression", use_missing=False)


@model
def lgb_one_hot(out):
    x, score, categories = codes(cardinalities=(3, 4), holes=0.05)
    lgb(out, x, score, "regression", categories=categories, min_data_per_group=5)


@model
def lgb_categories(out):
    x, score, categories = codes(holes=0.05)
    lgb(out, x, score, "regression", categories=categories, min_data_per_group=5, cat_smooth=1, max_cat_threshold=64, rounds=3)


@model
def lgb_cardinality(out):
    x, score, categories = codes(rows=6000, cardinalities=(900, 300))
    lgb(out, x, score, "regression", categories=categories, min_data_per_group=2, min_data_in_leaf=2, cat_smooth=1, max_cat_threshold=500, num_leaves=60, rounds=20)


@model
def lgb_categories_zeros(out):
    x, score, categories = codes(cardinalities=(5, 40), holes=0.05)
    lgb(out, x, binary(score), "binary", categories=categories, min_data_per_group=5, zero_as_missing=True)


@model
def lgb_early_stopping(out):
    """The file has the trees up to the best iteration."""
    x, score = table(rows=100)
    held, labels = table(rows=100, seed=9)
    params = {"objective": "binary", "learning_rate": 0.5, "verbose": -1, "min_data_in_leaf": 2, "num_threads": 1}
    data = lightgbm.Dataset(x, binary(score))
    other = lightgbm.Dataset(held, binary(labels), reference=data)
    booster = lightgbm.train(params, data, 50, valid_sets=[other], callbacks=[lightgbm.early_stopping(3, verbose=False)])
    assert booster.best_iteration < 50
    lgb_save(out, booster, x)


@model
def lgb_all_iterations(out):
    """All trees, whatever the best iteration was."""
    x, score = table(rows=100)
    data = lightgbm.Dataset(x, binary(score))
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 10)
    lgb_save(out, booster, x, num_iteration=-1)


@model
def lgb_constant(out):
    x, score = table()
    lgb(out, x, np.full(len(score), 7.5), "regression")


@model
def lgb_single_leaves(out):
    x, score = table()
    lgb(out, x, score, "regression", min_gain_to_split=1e9, rounds=3)


@model
def lgb_deep(out):
    x, score = table(rows=3000)
    lgb(out, x, score, "regression", num_leaves=800, min_data_in_leaf=1, rounds=3)


@model
def lgb_wide(out):
    x, score = table(rows=300, columns=400)
    lgb(out, x, score, "regression", rounds=20)


@model
def lgb_many(out):
    x, score = table(rows=1000, holes=0.1)
    lgb(out, x, score + 1000, "regression", rounds=500)


@model
def lgb_custom(out):
    x, score = table()

    def objective(margins, data):
        return margins - data.get_label(), np.ones_like(margins)

    lgb(out, x, score, objective)


@model
def lgb_custom_classes(out):
    x, score = table()
    y = thirds(score)

    def objective(margins, data):
        return margins - np.eye(3)[y.astype(int)], np.ones_like(margins)

    lgb(out, x, y, objective, num_class=3, rounds=3)


@model
def lgb_monotone(out):
    x, score = table()
    lgb(out, x, score, "regression", monotone_constraints=[1, 0, -1, 0, 0])


def main():
    out = pathlib.Path(sys.argv[1])
    failed = []
    for name in sys.argv[2:] or MODELS:
        try:
            MODELS[name](out / name)
        except Exception as error:
            failed.append(name)
            print(f"{name}: not trained: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
    print(f"{len(sys.argv[2:] or MODELS) - len(failed)} trained, {len(failed)} not: {' '.join(failed)}")


if __name__ == "__main__":
    main()
