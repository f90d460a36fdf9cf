"""Writes image/similarity.json: PSNR and SSIM of pictures made by a formula.

SSIM as in Wang et al. (2004), with SciPy's Gaussian filter (sigma 1.5, 11 by 11), where the window lies
inside the picture. Needs NumPy and SciPy.
"""
import json
import pathlib

import numpy as np
from scipy.ndimage import gaussian_filter

HERE = pathlib.Path(__file__).parent


def picture(height, width, salt):
    y, x, c = np.meshgrid(range(height), range(width), range(3), indexing="ij")
    return (x * 7 + y * 13 + c * 29 + (x * y % 17) * salt + (y // 9) * 31) % 256


def psnr(a, b):
    return float(10 * np.log10(255 ** 2 / np.mean((a.astype(float) - b) ** 2)))


def ssim(a, b):
    x, y = ((p * [0.299, 0.587, 0.114]).sum(-1) for p in (a, b))
    blur = lambda p: gaussian_filter(p, 1.5, truncate=3.5)[5:-5, 5:-5]
    mx, my = blur(x), blur(y)
    vx, vy, vxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    index = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return float(index.mean())


cases = []
for height, width, salts in ((24, 40, (1, 2)), (40, 24, (3, 4)), (11, 11, (1, 5)), (33, 47, (2, 2))):
    a, b = (picture(height, width, salt) for salt in salts)
    if salts[0] == salts[1]:
        b = np.clip(a + (np.arange(height) % 3)[:, None, None], 0, 255)
    cases.append({"height": height, "width": width, "salts": salts, "added": salts[0] == salts[1],
                  "psnr": psnr(a, b), "ssim": ssim(a, b)})
(HERE / "image" / "similarity.json").write_text(json.dumps(cases, indent=1) + "\n")
