"""What every export has: its name, its data, and its folder in ONNX's test layout."""

import warnings

import numpy as np
import onnx
import skl2onnx.common._container as container
from onnx import TensorProto, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes

warnings.filterwarnings("ignore")

# Each model's function, by its name.
MODELS = {}
# Of a model that a converter exports otherwise than the library computes it: why.
DIFFERENCES = {}


def model(function):
    MODELS[function.__name__] = function
    return function


def differs(reason):
    """For a model whose file does not say what its library does: no runtime can give what the library predicts."""

    def mark(function):
        DIFFERENCES[function.__name__] = reason
        return function

    return mark


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


def pierced(x):
    x = x.copy()
    x[np.random.RandomState(3).rand(*x.shape) < 0.1] = np.nan
    return x


def write(out, exported, inputs, outputs):
    """`inputs` and `outputs` in the order of the graph."""
    folder = out / "test_data_set_0"
    folder.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(exported.SerializeToString())
    for kind, values, infos in (("input", inputs, exported.graph.input), ("output", outputs, exported.graph.output)):
        assert len(values) == len(infos), (kind, len(values), [info.name for info in infos])
        for index, (value, info) in enumerate(zip(values, infos)):
            if isinstance(value, list):
                proto = numpy_helper.from_list(value, info.name)
            elif info.type.HasField("sequence_type"):
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


def kind(dtype):
    return {np.float64: DoubleTensorType, np.int64: Int64TensorType, object: StringTensorType}.get(dtype, FloatTensorType)


def convert(m, x, options=None, dtype=np.float32, **kwargs):
    """The model over one matrix `X`."""
    return to_onnx(m, initial_types=[("X", kind(dtype)([None, x.shape[1]]))], options=options, **kwargs)


def classifier(out, m, loader=load_breast_cancer, names=None, zipmap=True, dtype=np.float32, scores="predict_proba",
               holes=False, **kwargs):
    x, y, sample = rows(loader, dtype=dtype)
    if names:
        y = np.asarray([names[v] for v in y])
    if holes:
        x, sample = pierced(x), pierced(sample)
    m.fit(x, y)
    exported = convert(m, x, {id(m): {"zipmap": zipmap, **kwargs} if zipmap is not None else kwargs}, dtype)
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
    given = m.predict(sample)
    write(out, convert(m, x, dtype=dtype), [sample], [given.reshape(len(sample), -1).astype(dtype)])


def transformer(out, m, loader=load_breast_cancer, holes=False, dtype=np.float32):
    x, y, sample = rows(loader, dtype=dtype)
    if holes:
        x, sample = pierced(x), pierced(sample)
    m.fit(x, y)
    write(out, convert(m, x, dtype=dtype), [sample], [m.transform(sample).astype(dtype)])
