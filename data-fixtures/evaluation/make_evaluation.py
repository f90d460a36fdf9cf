"""Writes evaluation.json: errors of action chunks as NumPy computes them.

green_point: the published predictions beside this script. formula: chunks from an integer formula
that the test computes too, with masks, Euler angles and rotation vectors. Needs NumPy.
"""
import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
W, H, A = 37, 5, 7


def formula(count, salt):
    i = np.arange(count)
    return ((i * 7919 + salt * 104729) % 1009) / 1009 - 0.5


def euler(angles):
    a, b, r = np.radians(angles)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return rx @ ry @ rz


def exp(vector):
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def angle_between(p, q):
    m = p.T @ q
    v = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    return np.degrees(np.arctan2(np.linalg.norm(v) / 2, (np.trace(m) - 1) / 2))


def distribution(values):
    values = np.array(values)
    return {
        "rmse": float(np.sqrt(np.mean(values**2))),
        "mean": float(values.mean()),
        "p95": float(np.quantile(values, 0.95)),
    }


def summary(predicted, truth, mask, counted, windows):
    p, t, m = predicted[windows], truth[windows], mask[windows].astype(bool)
    e = p - t
    rms = lambda values: float(np.sqrt(np.mean(values**2)))
    return {
        "rmse": rms(e[m][:, counted]),
        "mae": float(np.mean(np.abs(e[m][:, counted]))),
        "perDimension": [rms(e[m][:, d]) for d in range(e.shape[2])],
        "maePerDimension": [float(np.mean(np.abs(e[m][:, d]))) for d in range(e.shape[2])],
        "perStep": [rms(e[:, h][m[:, h]][:, counted]) for h in range(e.shape[1])],
        "maePerStep": [
            float(np.mean(np.abs(e[:, h][m[:, h]][:, counted]))) for h in range(e.shape[1])
        ],
        "path": distribution(
            [np.linalg.norm(e[w][m[w]][:, :3].sum(0)) for w in range(len(e))]
        ),
    }


def path_rotation(predicted, truth, mask, kind, start, unit):
    angles = []
    for w in range(len(truth)):
        ends = []
        for chunk in (predicted[w], truth[w]):
            steps = chunk[mask[w].astype(bool), 3:6]
            if kind == "euler":
                ends.append(euler(start[w] + steps.sum(0)))
            else:
                end = np.eye(3)
                for step in steps:
                    end = end @ exp(step * unit)
                ends.append(end)
        angles.append(angle_between(*ends))
    return distribution(angles)


def compare(predicted, truth, mask, counted, last, mean):
    every = np.arange(len(truth))
    held = every[~np.isnan(last[:, 0])]
    shape = truth.shape
    return {
        "model": summary(predicted, truth, mask, counted, every),
        "zero": summary(np.zeros(shape), truth, mask, counted, every),
        "mean": summary(np.broadcast_to(mean, shape), truth, mask, counted, every),
        "holdLast": summary(
            np.broadcast_to(last[:, None], shape), truth, mask, counted, held
        ),
    }


def formula_chunks():
    truth = formula(W * H * A, 1).reshape(W, H, A)
    predicted = truth + 0.3 * formula(W * H * A, 2).reshape(W, H, A)
    mask = np.ones((W, H), np.uint8)
    for w in range(0, W, 4):
        mask[w, 1 + w % H :] = 0
    last = formula(W * A, 3).reshape(W, A)
    last[::9] = np.nan
    mean = formula(A, 4)
    start = 360 * formula(W * 3, 5).reshape(W, 3)
    result = compare(predicted, truth, mask, [0, 1, 2], last, mean)
    big = predicted * np.array([1, 1, 1, 40, 40, 40, 1])
    true = truth * np.array([1, 1, 1, 40, 40, 40, 1])
    result["eulerRotation"] = path_rotation(big, true, mask, "euler", start, 1)
    result["vectorRotation"] = path_rotation(predicted, truth, mask, "vector", None, 1)
    return result


def green_point():
    samples = json.loads((HERE / "green_point_predictions.json").read_text())["samples"]
    truth = np.array([s["gt_delta_actions"] for s in samples])
    predicted = np.array([s["pred_delta_actions"] for s in samples])
    mask = np.ones(truth.shape[:2], np.uint8)
    last = np.full((len(truth), truth.shape[2]), np.nan)
    last[1:] = truth[:-1, 0]
    result = compare(predicted, truth, mask, range(7), last, truth.mean((0, 1)))
    result["vectorRotation"] = path_rotation(predicted, truth, mask, "vector", None, 1)
    return result


result = {
    "windows": W, "horizon": H, "dimensions": A,
    "formula": formula_chunks(), "green_point": green_point(),
}
(HERE / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")
