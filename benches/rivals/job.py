"""Re-scoring what most teams keep in Redis: pull the features, run them through ONNX Runtime in batches, write the scores
back, and wait until the replicas have them. `--fill N` stores N rows and ends; without it all of them are scored once.
Prints {"rows", "seconds"}."""

import argparse
import csv
import itertools
import json
import time

import numpy
import onnxruntime
import redis

arguments = argparse.ArgumentParser()
for name in ("port", "batch", "count"):
    arguments.add_argument(f"--{name}", type=int, required=True)
arguments.add_argument("--replicas", type=int, default=0)
arguments.add_argument("--layout", choices=("fields", "packed"), required=True)
arguments.add_argument("--fill", action="store_true")
for name in ("model", "output", "rows", "key", "features"):
    arguments.add_argument(f"--{name}", required=True)
arguments = arguments.parse_args()

names = arguments.features.split(",")
booleans = {"true": 1.0, "false": 0.0}
client = redis.Redis(port=arguments.port)


def number(text):
    return booleans[text] if text in booleans else float(text)


def batches():
    numbers = iter(range(arguments.count))
    while batch := list(itertools.islice(numbers, arguments.batch)):
        yield batch


def fill():
    with open(arguments.rows, newline="") as file:
        rows = [[number(row[name]) for name in names] for row in csv.DictReader(file)]
    for batch in batches():
        pipeline = client.pipeline(transaction=False)
        for key in batch:
            features = rows[key % len(rows)]
            if arguments.layout == "fields":
                pipeline.hset(key, mapping=dict(zip(names, features)))
            else:
                pipeline.hset(key, "features", numpy.array(features, dtype=numpy.float32).tobytes())
        pipeline.execute()


def pull(batch):
    pipeline = client.pipeline(transaction=False)
    for key in batch:
        if arguments.layout == "fields":
            pipeline.hmget(key, names)
        else:
            pipeline.hget(key, "features")
    rows = pipeline.execute()
    if arguments.layout == "fields":
        return numpy.array(rows).astype(numpy.float32)
    return numpy.frombuffer(b"".join(rows), dtype=numpy.float32).reshape(len(batch), len(names))


def score():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    feed = session.get_inputs()[0].name
    for batch in batches():
        scores = session.run([arguments.output], {feed: pull(batch)})[0][:, -1]
        pipeline = client.pipeline(transaction=False)
        for key, score in zip(batch, scores):
            pipeline.hset(key, "score", float(score))
        if arguments.replicas:
            pipeline.wait(arguments.replicas, 0)
        pipeline.execute()


started = time.perf_counter()
if arguments.fill:
    fill()
else:
    score()
print(json.dumps({"rows": arguments.count, "seconds": time.perf_counter() - started}))
