"""Writes affine/: a SavedModel with a float variable and three signatures.

    python3 -m pip install tensorflow-cpu==2.21.0
    python3 make_saved_model.py
"""

import pathlib
import shutil

import tensorflow as tf


class Affine(tf.Module):
    def __init__(self):
        super().__init__()
        self.scale = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="scale")

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def affine(self, x):
        return {"y": tf.matmul(x, self.scale) + 0.5, "total": tf.reduce_sum(x)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int64, name="a"),
            tf.TensorSpec([None], tf.int64, name="b"),
        ]
    )
    def count(self, a, b):
        return {"difference": a - b}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def greet(self, text):
        return {"greeting": tf.strings.join(["hello ", text])}


folder = pathlib.Path(__file__).parent / "affine"
shutil.rmtree(folder, ignore_errors=True)
model = Affine()
tf.saved_model.save(
    model,
    str(folder),
    signatures={
        "serving_default": model.affine,
        "count": model.count,
        "greet": model.greet,
    },
)
(folder / "fingerprint.pb").unlink(missing_ok=True)  # random, and not read
