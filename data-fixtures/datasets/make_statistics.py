"""Writes statistics.json: NumPy's statistics of three made-up episodes.

The values are not stored: value(i, salt) = ((i·2654435761 + salt·40503) mod 2^32) / 2^32 as float64,
scaled per dimension and rounded once to float32, and tests/datasets/statistics_test.ts makes the same.
Run: python3 make_statistics.py > statistics.json
"""

import json

import numpy as np

EPISODES = [  # name, actions, robot rows, sensor rows (0: no sensor)
    ("b", 37, 400, 300),
    ("a", 1, 11, 0),
    ("c", 250, 2600, 777),
]
ACTION = [(1.5, -0.5), (1e-3, 1e4), (20, -180), (1, 0), (0.01, 7), (300, 0), (0, 1)]  # scale, offset
STATE = [(90, -45)] * 6 + [(70, 117), (100, 208), (1, 210), (0, 178), (7, 17), (0, 0.1)]
FORCE, ALINE = (2, -0.25), (320, -28.3)


def column(count, salt, scale, offset):
    i = np.arange(count, dtype=np.uint64)
    bits = (i * np.uint64(2654435761) + np.uint64(salt * 40503)) % np.uint64(2**32)
    return (bits.astype(np.float64) / 2**32 * scale + offset).astype(np.float32)


def field(columns):
    values = np.stack(columns, 1).astype(np.float64)
    q01, q50, q99 = np.quantile(values, [0.01, 0.5, 0.99], axis=0)
    return {
        "count": len(values),
        "mean": values.mean(0).tolist(),
        "std": values.std(0).tolist(),
        "min": values.min(0).tolist(),
        "max": values.max(0).tolist(),
        "q01": q01.tolist(),
        "q50": q50.tolist(),
        "q99": q99.tolist(),
    }


def over_episodes(place, dimensions, salt):
    return [
        np.concatenate(
            [
                column(episode[place], salt + 100 * e + d, scale, offset)
                for e, episode in enumerate(EPISODES)
            ]
        )
        for d, (scale, offset) in enumerate(dimensions)
    ]


aline = np.concatenate(
    [column(episode[3] * 1025, 3000 + 100 * e, *ALINE) for e, episode in enumerate(EPISODES)]
).astype(np.float64)
print(
    json.dumps(
        {
            "numpy": np.__version__,
            "episodes": EPISODES,
            "dimensions": {"action": ACTION, "state": STATE, "force": [FORCE], "aline": [ALINE]},
            "action": field(over_episodes(1, ACTION, 0)),
            "proprioception": field(over_episodes(2, STATE, 1000)),
            "force": field(over_episodes(3, [FORCE], 2000)),
            "aline": {
                "count": aline.size,
                "mean": aline.mean(),
                "std": aline.std(),
                "min": aline.min(),
                "max": aline.max(),
            },
        },
        indent=1,
    )
)
