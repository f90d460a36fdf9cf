"""Writes kinematics.json: flange poses of the Meca500 R3 for random joints.

An independent formulation: modified Denavit-Hartenberg parameters (Craig's convention), while
lib/phantom/kinematics.ts multiplies rotations about the joints' axes.

    python3 make_kinematics.py && deno fmt kinematics.json        # NumPy 2.4
"""

import json
from pathlib import Path

import numpy as np

# alpha (deg), a (mm), offset of theta (deg), d (mm) of joints 1 to 6
PARAMETERS = [
    (0, 0, 0, 135),
    (-90, 0, -90, 0),
    (0, 135, 0, 0),
    (-90, 38, 0, 120),
    (90, 0, 0, 0),
    (-90, 0, 180, 70),
]


def link(alpha, a, theta, d):
    ca, sa = np.cos(np.radians(alpha)), np.sin(np.radians(alpha))
    ct, st = np.cos(np.radians(theta)), np.sin(np.radians(theta))
    return np.array([
        [ct, -st, 0, a],
        [st * ca, ct * ca, -sa, -d * sa],
        [st * sa, ct * sa, ca, d * ca],
        [0, 0, 0, 1],
    ])


def flange(joints):
    pose = np.eye(4)
    for (alpha, a, offset, d), joint in zip(PARAMETERS, joints):
        pose = pose @ link(alpha, a, offset + joint, d)
    return pose


def main():
    random = np.random.default_rng(0)
    low, high = [-175, -70, -135, -170, 1, -180], [175, 90, 70, 170, 115, 180]
    joints = [[0] * 6, *random.uniform(low, high, (50, 6)).round(3).tolist()]
    poses = [flange(row) for row in joints]
    np.testing.assert_allclose(poses[0][:3, 3], [190, 0, 308], atol=1e-12)
    cases = [
        {"joints": row, "position": pose[:3, 3].round(9).tolist(), "rotation": pose[:3, :3].round(12).tolist()}
        for row, pose in zip(joints, poses)
    ]
    path = Path(__file__).with_name("kinematics.json")
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
