"""Step 0 in Python, as one writes it down from its description: what `bench preprocess` is compared with.

The action list: from row i on, among the rows i+1 ... i+window-1 (window: 1.5 periods of the action
rate at the mean rate of the log) the one nearest in time to t[i] + 1/rate ends the action, if it is
nearer than 20 ms; it also starts the next one. Otherwise row i+1 is tried. An action is the difference
of the two float32 poses and a 1.

The loops are plain Python. How they get at the numbers makes most of the difference, so there are
three ways of it:

    numpy   elements of NumPy arrays, t[j], as the description reads
    lists   times turned into a list first, differences taken at once: what an experienced one writes
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
    """First and last row of each action. `t[j]` is an element of an array, a list or a column."""
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


def arrays(robot):
    return robot["origin_timestamp"].to_numpy(), robot[POSE].to_numpy(dtype=np.float32)


def columns(robot):
    return robot["origin_timestamp"], robot[POSE].astype(np.float32)


def actions_numpy(t, poses, action_hz):
    """Each t[j] takes an element out of the array, as a NumPy scalar; each action is a small array."""
    fs, window = search_window(t, action_hz)
    rows = []
    for i, best in chain(t, len(t), window, 1.0 / action_hz):
        rows.append(np.append(poses[best] - poses[i], np.float32(1.0)))
    return np.array(rows, dtype=np.float32).reshape(-1, 7), fs


def actions_lists(t, poses, action_hz):
    """Times are turned into a list of floats first; all differences are taken at once at the end."""
    fs, window = search_window(t, action_hz)
    pairs = chain(t.tolist(), len(t), window, 1.0 / action_hz)
    first, last = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    rows = np.ones((len(pairs), 7), dtype=np.float32)
    rows[:, :6] = poses[last] - poses[first]
    return rows, fs


def actions_iloc(t, poses, action_hz):
    """Each time and each pose is taken out of pandas, by column.iloc[j] and table.iloc[i]."""
    fs, window = search_window(t.to_numpy(), action_hz)
    rows = []
    for i, best in chain(t.iloc, len(t), window, 1.0 / action_hz):
        delta = poses.iloc[best].to_numpy() - poses.iloc[i].to_numpy()
        rows.append(np.append(delta, np.float32(1.0)))
    return np.array(rows, dtype=np.float32).reshape(-1, 7), fs


STYLES = {
    "numpy": (arrays, actions_numpy),
    "lists": (arrays, actions_lists),
    "iloc": (columns, actions_iloc),
}


def actions_of(robot, style):
    prepare, extract = STYLES[style]
    return extract(*prepare(robot), ACTION_HZ)


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


def without_sensor(config):
    robot = pd.read_csv(config["robotFile"])
    action, fs = actions_of(robot, config["style"])
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
    data = without_sensor(config)
    data["sensor_data"] = read_sensor(config["recording"], len(data["action"]))
    data["metadata"]["has_sensor"] = data["sensor_data"] is not None
    with open(config["pickle"], "wb") as file:
        pickle.dump(data, file)
    return data


def part(config):
    """The part of step 0 that is measured, ready to run."""
    style, path = config["style"], config["robotFile"]
    if config["part"] == "actions":
        prepare, extract = STYLES[style]
        ready = prepare(pd.read_csv(path))
        return lambda: {"action": extract(*ready, ACTION_HZ)[0]}
    if config["part"] == "csv+actions":
        return lambda: {"action": actions_of(pd.read_csv(path), style)[0]}
    if config["part"] == "align":
        return lambda: without_sensor(config)
    return lambda: whole(config)
