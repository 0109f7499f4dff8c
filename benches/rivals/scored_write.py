"""What most teams run today: redis-py and ONNX Runtime in one Python process. Each row is scored, then its features and its
score are written by one HSET; a batch is one matrix and one pipeline. Prints {"ops_per_s", "p50_us", "p99_us"}."""

import argparse
import csv
import itertools
import json
import threading
import time

import numpy
import onnxruntime
import redis

arguments = argparse.ArgumentParser()
for name in ("port", "callers", "batch", "requests"):
    arguments.add_argument(f"--{name}", type=int, required=True)
for name in ("model", "output", "rows", "key", "features"):
    arguments.add_argument(f"--{name}", required=True)
arguments = arguments.parse_args()

names = arguments.features.split(",")
booleans = {"true": 1.0, "false": 0.0}


def number(text):
    return booleans[text] if text in booleans else float(text)


with open(arguments.rows, newline="") as file:
    rows = [(row[arguments.key], [number(row[name]) for name in names]) for row in csv.DictReader(file)]

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
feed = session.get_inputs()[0].name


def write(client, batch):
    matrix = numpy.array([features for _, features in batch], dtype=numpy.float32)
    scores = session.run([arguments.output], {feed: matrix})[0][:, -1]
    if len(batch) == 1:
        key, features = batch[0]
        client.hset(key, mapping=dict(zip(names, features), score=float(scores[0])))
        return
    pipeline = client.pipeline(transaction=False)
    for (key, features), score in zip(batch, scores):
        pipeline.hset(key, mapping=dict(zip(names, features), score=float(score)))
    pipeline.execute()


def caller(number, calls, taken):
    client = redis.Redis(port=arguments.port)
    turn = itertools.cycle(range(0, len(rows) - arguments.batch + 1, arguments.batch))
    turn = itertools.islice(turn, number * calls, None)
    for start in itertools.islice(turn, calls):
        sent = time.perf_counter()
        write(client, rows[start : start + arguments.batch])
        taken.append(time.perf_counter() - sent)


calls = max(1, arguments.requests // arguments.batch // arguments.callers)
taken = [[] for _ in range(arguments.callers)]
callers = [threading.Thread(target=caller, args=(n, calls, taken[n])) for n in range(arguments.callers)]
started = time.perf_counter()
for thread in callers:
    thread.start()
for thread in callers:
    thread.join()
elapsed = time.perf_counter() - started
microseconds = numpy.concatenate([numpy.array(one) for one in taken]) * 1e6
p50, p99 = numpy.percentile(microseconds, [50, 99])
print(json.dumps({"ops_per_s": calls * arguments.callers * arguments.batch / elapsed, "p50_us": p50, "p99_us": p99}))
