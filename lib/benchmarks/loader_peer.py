"""Batches of sensor windows as PyTorch's users load them: a Dataset over a memory-mapped array."""

import zlib

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler

HORIZON, ACTION_DIM = 8, 7
WARM_UP = 50


class Samples(Dataset):
    """Sample i of an episode: rows i · window to (i + 1) · window, and a chunk of actions."""

    def __init__(self, path, episode_samples, samples, window):
        self.rows = np.load(path, mmap_mode="r")
        self.episode_samples, self.samples, self.window = episode_samples, samples, window
        self.actions = torch.zeros(episode_samples + HORIZON, ACTION_DIM)
        self.sensor_mask = torch.ones(window, dtype=torch.uint8)
        self.action_mask = torch.ones(HORIZON, dtype=torch.uint8)

    def __len__(self):
        return self.samples

    def __getitem__(self, index):
        at = index % self.episode_samples
        rows = self.rows[at * self.window : (at + 1) * self.window]
        return {
            "sensor": torch.from_numpy(np.array(rows)),
            "sensor_mask": self.sensor_mask,
            "actions": self.actions[at : at + HORIZON],
            "action_mask": self.action_mask,
        }


def endless(loader):
    while True:
        yield from loader


def loader(config):
    samples = config["samples"]
    dataset = Samples(config["path"], config["episodeSamples"], samples, config["window"])
    workers = config["workers"]
    options = {"multiprocessing_context": "fork", "persistent_workers": True} if workers else {}
    batches = endless(
        DataLoader(
            dataset,
            batch_size=config["batch"],
            sampler=RandomSampler(dataset),
            num_workers=workers,
            drop_last=True,
            **options,
        )
    )

    def run():
        next(batches)

    for _ in range(WARM_UP):
        run()
    crc = 0
    for index in (0, 1, samples // 2, samples - 1):
        crc = zlib.crc32(dataset[index]["sensor"].numpy().tobytes(), crc)
    return {"run": run, "repeats": 1, "facts": {"checksum": crc}}
