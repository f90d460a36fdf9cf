"""Step 0 in Python, as one writes it down from its description: what `bench preprocess` is compared with.

The action list: from row i on, among the rows i+1 ... i+window-1 (window: 1.5 periods of the action
rate at the mean rate of the log) the one nearest in time to t[i] + 1/rate ends the action, if it is
nearer than 20 ms; it also starts the next one. Otherwise row i+1 is tried. An action is the difference
of the two float32 poses and a 1.

The loops are plain Python. How they get at the numbers makes most of the difference, so there are
three ways of it:

    numpy   elements of NumPy arrays, t[j], as the description reads
    lists   the arrays turned into lists first
    iloc    elements of pandas columns, column.iloc[j]

Nothing is done twice, nothing is slower than it has to be in its style; the CSV is read by pandas' C
engine, once.
"""

import glob
import os
import pickle

import numpy as np
import pandas as pd

TOLERANCE = 0.020  # seconds
POSE = ["pose_x", "pose_y", "pose_z", "pose_a", "pose_b", "pose_r"]
ACTION_HZ = 10.0


def search_window(t, action_hz):
    mean = np.mean(np.diff(t))
    fs = 1.0 / mean if mean > 0 else 100.0
    return fs, int(fs * (1.0 / action_hz) * 1.5)


def chain(t, n, window, period):
    """Pairs of first and last row. `t[j]` is an element of an array or of a list."""
    pairs = []
    i = 0
    while i + 1 < n:
        target = t[i] + period
        best, least = None, float("inf")
        for j in range(i + 1, min(n, i + window)):
            distance = abs(t[j] - target)
            if distance < least:
                best, least = j, distance
        if best is not None and least < TOLERANCE:
            pairs.append((i, best))
            i = best
        else:
            i += 1
    return pairs


def actions_numpy(robot, action_hz):
    """Each element of the time array is taken by t[j], which makes a NumPy scalar of it."""
    t = robot["origin_timestamp"].to_numpy()
    poses = robot[POSE].to_numpy(dtype=np.float32)
    fs, window = search_window(t, action_hz)
    rows = []
    for i, best in chain(t, len(t), window, 1.0 / action_hz):
        delta = poses[best] - poses[i]
        rows.append(np.append(delta, np.float32(1.0)))
    return np.array(rows, dtype=np.float32).reshape(-1, 7), fs


def actions_lists(robot, action_hz):
    """Times and poses are turned into lists of Python floats first."""
    times = robot["origin_timestamp"].to_numpy()
    fs, window = search_window(times, action_hz)
    t = times.tolist()
    poses = robot[POSE].to_numpy(dtype=np.float32).tolist()
    rows = []
    for i, best in chain(t, len(t), window, 1.0 / action_hz):
        rows.append([b - a for a, b in zip(poses[i], poses[best])] + [1.0])
    return np.array(rows, dtype=np.float32).reshape(-1, 7), fs


def actions_iloc(robot, action_hz):
    """Each element of the time column, and each pose, is taken from pandas by .iloc[j]."""
    times = robot["origin_timestamp"]
    poses = robot[POSE].astype(np.float32)
    fs, window = search_window(times.to_numpy(), action_hz)
    rows = []
    for i, best in chain(times.iloc, len(times), window, 1.0 / action_hz):
        delta = poses.iloc[best].to_numpy() - poses.iloc[i].to_numpy()
        rows.append(np.append(delta, np.float32(1.0)))
    return np.array(rows, dtype=np.float32).reshape(-1, 7), fs


STYLES = {"numpy": actions_numpy, "lists": actions_lists, "iloc": actions_iloc}


def list_images(folder):
    """Paths by view, absolute and sorted: View1/left, View1/right, or directly in View5."""
    images = {}
    for number in range(1, 6):
        view = os.path.join(os.path.abspath(folder), f"View{number}")
        for name, place in (
            (f"View{number}_left", os.path.join(view, "left")),
            (f"View{number}_right", os.path.join(view, "right")),
            (f"View{number}", view),
        ):
            paths = sorted(glob.glob(os.path.join(place, "*.jpg")))
            if paths:
                images[name] = paths
    return images


def read_sensor(folder, count):
    """One row per action, evenly spread over the file's rows; the arrays are loaded whole."""
    files = glob.glob(os.path.join(folder, "sensor_data_*.npz"))
    if not files:
        return None
    with np.load(files[0]) as archive:
        force, aline = archive["forces"], archive["alines"]
    rows = np.linspace(0, len(force) - 1, count).astype(int)
    return {"force": force[rows].reshape(-1, 1), "fpi": aline[rows]}


def read_robot(path):
    return pd.read_csv(path)


def without_pickle(config):
    robot = read_robot(config["robotFile"])
    action, fs = STYLES[config["style"]](robot, ACTION_HZ)
    times = robot["origin_timestamp"]
    return {
        "action": action,
        "image": list_images(config["recording"]),
        "sensor_data": None,
        "instruction": "Perform the insertion task",
        "metadata": {
            "episode_name": os.path.basename(config["recording"]),
            "robot_hz": fs,
            "action_hz": ACTION_HZ,
            "num_actions": len(action),
            "num_robot_states": len(robot),
            "duration_seconds": times.iloc[-1] - times.iloc[0],
            "has_sensor": False,
        },
    }


def whole(config):
    data = without_pickle(config)
    data["sensor_data"] = read_sensor(config["recording"], len(data["action"]))
    data["metadata"]["has_sensor"] = data["sensor_data"] is not None
    with open(config["pickle"], "wb") as file:
        pickle.dump(data, file)
    return data


def part(config):
    """The part of step 0 that is measured, ready to run."""
    actions = STYLES[config["style"]]
    if config["part"] == "actions":
        robot = read_robot(config["robotFile"])
        return lambda: {"action": actions(robot, ACTION_HZ)[0]}
    if config["part"] == "csv+actions":
        return lambda: {"action": actions(read_robot(config["robotFile"]), ACTION_HZ)[0]}
    if config["part"] == "align":
        return lambda: without_pickle(config)
    return lambda: whole(config)
