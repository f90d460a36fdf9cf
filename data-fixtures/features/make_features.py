"""Oracles of lib/features: area-weighted means by NumPy, cached features as PyTorch saves them."""

import json
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent
ROWS, COLUMNS = 8, 16


def picture(width: int, height: int) -> np.ndarray:
    """(height, width, 3), a pattern that the test can make too."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((x * 7 + y * 13 + c * 101 + (x * y) % 31 * 5) % 256).astype(np.uint8)


def block_means(pixels: np.ndarray) -> np.ndarray:
    """Every pixel becomes 16 x 8 equal ones, so that no cell cuts one."""
    height, width, _ = pixels.shape
    fine = pixels.repeat(ROWS, axis=0).repeat(COLUMNS, axis=1).astype(np.float64)
    cells = fine.reshape(ROWS, height, COLUMNS, width, 3)
    return cells.mean(axis=(1, 3)) / 127.5 - 1


sizes = [(640, 360), (128, 72), (100, 50), (37, 23), (16, 8), (17, 9), (5, 3), (1, 1)]
(FOLDER / "block_means.json").write_text(
    json.dumps(
        {
            "numpy": np.__version__,
            "pictures": [
                {
                    "width": width,
                    "height": height,
                    "means": np.round(block_means(picture(width, height)).ravel(), 9).tolist(),
                }
                for width, height in sizes
            ],
        }
    )
    + "\n"
)

for index in range(2):
    generator = torch.Generator().manual_seed(index)
    feature = torch.randn(1, 1, 2048, generator=generator).to(torch.float16)
    torch.save(feature, FOLDER / f"recv_all_1_vlm{30 * index}.pt")
    print(index, feature.flatten()[:3].tolist(), feature.double().sum().item())
torch.save((torch.zeros(1, 1320, 4).half(), torch.zeros(1, 4).half()), FOLDER / "pair.pt")
