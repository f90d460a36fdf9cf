"""Messages and files of TensorBoard and Weights & Biases, as their own packages write them.

Oracles for lib/training/run. tensorboard 2.20 and the protocol buffers of wandb 0.31 make the messages;
the log is made by wandb/sdk/internal/datastore.py of wandb 0.19, later releases have it in Go.

    python3 make_monitoring.py DATASTORE.PY    # writes monitoring.json beside this file
"""

import hashlib
import importlib.util
import json
import os
import sys
import tempfile
import types

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_DOUBLE, DT_STRING
from tensorboard.plugins.histogram.metadata import create_summary_metadata as histogram_metadata
from tensorboard.plugins.text.metadata import create_summary_metadata as text_metadata


def datastore(path):
    """wandb's module without the package around it."""
    package = types.ModuleType("wandb")
    package._assert_is_internal_process = True
    sys.modules["wandb"] = package
    spec = importlib.util.spec_from_file_location("datastore", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    del sys.modules["wandb"]
    return module.DataStore


DataStore = datastore(sys.argv[1])
from wandb.proto import wandb_internal_pb2 as pb


def summary(tag, tensor, metadata):
    value = Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
    return Summary(value=[value]).SerializeToString().hex()


rows = np.array([[0, 12.5, 3], [12.5, 50, 0], [50, 100, 1e6]])
shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=n) for n in rows.shape])
histogram = summary(
    "train/diffusion_t",
    TensorProto(dtype=DT_DOUBLE, tensor_shape=shape, tensor_content=rows.tobytes()),
    histogram_metadata("", ""),
)
MARKDOWN = "| größe | value |\n| --- | --- |\n| lr | 1e-4 |"
text = summary(
    "run/settings",
    TensorProto(dtype=DT_STRING, tensor_shape=TensorShapeProto(), string_val=[MARKDOWN.encode()]),
    text_metadata("", ""),
)

record = {}
run = pb.Record(num=2)
run.run.run_id, run.run.project, run.run.display_name = "5ceb07fa", "QwenVLA-Sensor", "first run"
for key, value in (("lr", "0.0001"), ("policy", '{"fusion":"concat","größe":null}')):
    run.run.config.update.add(key=key, value_json=value)
run.run.start_time.FromMilliseconds(1795265860281)
record["run"] = run
record["header"] = pb.Record(num=1)
record["header"].header.version_info.producer = "trocar"
record["header"].header.version_info.min_consumer = "0.12.0"
record["config"] = pb.Record(num=300)
record["config"].config.update.add(key="lr", value_json="0.0002")
record["step"] = pb.Record(num=3)
record["step"].metric.name = "global_step"
record["step"].metric.options.defined = True
record["metric"] = pb.Record(num=4)
record["metric"].metric.name, record["metric"].metric.step_metric = "val/loss_epoch", "global_step"
record["metric"].metric.options.defined = record["metric"].metric.options.step_sync = True
record["history"] = pb.Record(num=70000)
values = {"global_step": "21", "val/loss_epoch": "0", "val/best_loss": "null", "x": "NaN"}
for key, value in {**values, "_step": "5"}.items():
    record["history"].history.item.add(nested_key=[key], value_json=value)
record["history"].history.step.num = 5
record["summary"] = pb.Record(num=5)
for key, value in values.items():
    if value != "null":
        record["summary"].summary.update.add(nested_key=[key], value_json=value)
record["exit"] = pb.Record(num=6)
record["exit"].exit.exit_code, record["exit"].exit.runtime = 130, 12

# Lengths that end a block exactly, leave less than the header of a piece, and span blocks.
LENGTHS = [0, 1, 100, 32768 - 7 - 3 * 7 - 101 - 7 - 6, 5, 32761, 40000, 100000, 3]
with tempfile.TemporaryDirectory() as folder:
    store = DataStore()
    store.open_for_write(os.path.join(folder, "run.wandb"))
    for i, length in enumerate(LENGTHS):
        store._write_data(bytes((j * 7 + i) % 251 for j in range(length)))
    store.close()
    with open(os.path.join(folder, "run.wandb"), "rb") as file:
        log = file.read()

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "monitoring.json"), "w") as file:
    json.dump(
        {
            "histogram": histogram,
            "text": text,
            "markdown": MARKDOWN,
            "wandb": {name: message.SerializeToString().hex() for name, message in record.items()},
            "log": {"lengths": LENGTHS, "bytes": len(log), "sha256": hashlib.sha256(log).hexdigest()},
        },
        file,
        indent=1,
        ensure_ascii=False,
    )
    file.write("\n")
