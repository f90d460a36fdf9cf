"""Writes a robot log and the data.pkl that the Python reference makes of it.

The algorithm is the reference's: a search window of rows from the mean rate, plain differences of
angles, greedy chaining. Run it with NumPy 1 and with NumPy 2: each writes data_numpy<major>.pkl.
The images are listed but not there.
"""

import csv
import json
import pickle
import struct
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
NAME = "recv_all_20251027_170308"
START = 1761551500.0
STEPS_MS = [9, 11, 10, 12, 8]
AXES = ["x", "y", "z", "a", "b", "r"]
COLUMNS = (
    ["recv_timestamp", "origin_timestamp", "send_timestamp", "force_placeholder"]
    + [f"joint_{k}" for k in range(1, 7)]
    + [f"pose_{axis}" for axis in AXES]
)


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def write_log(path):
    milliseconds = 0
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in range(121):
            origin = round(START + milliseconds / 1000, 3)
            pose = [190 + 0.31 * row, -0.17 * row, 308 - 0.23 * row]
            angle = 177.3 + 0.05 * row  # crosses 180
            pose += [(angle + 180) % 360 - 180, 19 + 0.01 * row, 144.3 - 0.02 * row]
            joints = [0.1 * k * row for k in range(6)]
            states = [float32(value) for value in joints + pose]
            writer.writerow([origin + 0.0035, origin, origin + 0.0015, 0.0, *states])
            # One long pause lowers the mean rate, so that the search window is too short afterwards.
            milliseconds += STEPS_MS[row % 5] + (500 if row == 70 else 0)


def read_log(path):
    with open(path) as file:
        rows = list(csv.DictReader(file))
    time = np.array([float(row["origin_timestamp"]) for row in rows])
    poses = np.array([[float(row[f"pose_{axis}"]) for axis in AXES] for row in rows], np.float32)
    return time, poses


def reference_actions(time, poses, action_hz):
    mean = np.mean(np.diff(time))
    rate = 1.0 / mean if mean > 0 else 100.0
    period = 1.0 / action_hz
    window = int(rate * period * 1.5)
    actions, times = [], []
    i = 0
    while i < len(time):
        if i + 1 >= len(time):
            break
        target = time[i] + period
        best, least = None, np.inf
        for j in range(i + 1, min(len(time), i + window)):
            distance = abs(time[j] - target)
            if distance < least:
                best, least = j, distance
        if best is not None and least < 0.020:
            actions.append(np.append(poses[best] - poses[i], np.float32(1.0)))
            times.append([time[i], time[best]])
            i = best
        else:
            i += 1
    return np.array(actions, np.float32), times, rate


def main():
    folder = HERE / NAME
    folder.mkdir(exist_ok=True)
    log = folder / f"robot_state_{NAME[9:]}.csv"
    write_log(log)
    time, poses = read_log(log)
    action, times, rate = reference_actions(time, poses, 10.0)
    count = len(action)
    images = {
        "View1_left": [
            f"/old/data/White_silicone/{NAME}/View1/left/zed_41182735_left_{START + t:.3f}.jpg"
            for t in (0.05, 0.55, 1.05, 1.55)
        ],
        "View5": [f"/old/data/White_silicone/{NAME}/View5/oak_1944_{START + 0.3:.3f}.jpg"],
    }
    rows = np.arange(count * 1025, dtype=np.float32).reshape(count, 1025) / np.float32(7)
    data = {
        "action": action,
        "image": images,
        "sensor_data": {"force": np.linspace(0.5, 1.5, count, dtype=np.float32)[:, None], "fpi": rows},
        "instruction": "Insert into the white square silicone with a white circle sticker attached",
        "metadata": {
            "episode_name": NAME,
            "robot_hz": rate,
            "action_hz": 10.0,
            "num_actions": count,
            "num_robot_states": len(time),
            "duration_seconds": time[-1] - time[0],
            "has_sensor": True,
        },
    }
    major = np.__version__.split(".")[0]
    with open(HERE / f"data_numpy{major}.pkl", "wb") as file:
        pickle.dump(data, file, protocol=4)
    expected = {
        "robot_hz": float(rate),
        "duration_seconds": float(time[-1] - time[0]),
        "action": [[float(value) for value in row] for row in action],
        "time": [[float(value) for value in row] for row in times],
        "force": [float(value) for value in data["sensor_data"]["force"][:, 0]],
        "fpi_sum": float(rows.astype(np.float64).sum()),
    }
    with open(HERE / "data_pkl.json", "w") as file:
        json.dump(expected, file, indent=2)
        file.write("\n")
    print(major, count, rate)


main()
