"""Records test vectors of Philox 4x32-10 computed in plain Python integers.

An oracle that shares no code with lib/engine/_philox.ts: 64-bit products are Python's own
integers, the counter is one 128-bit integer. Method: Salmon et al., SC 2011.

    python3 make_philox.py        # writes philox.json beside this file
"""

import json
import math
import pathlib
import struct

MASK32 = 2**32 - 1


def philox(counter: int, key: int) -> list[int]:
    x = [counter >> (32 * i) & MASK32 for i in range(4)]
    k = [key & MASK32, key >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(b >> 32) ^ x[1] ^ k[0], b & MASK32, (a >> 32) ^ x[3] ^ k[1], a & MASK32]
        k = [k[0] + 0x9E3779B9 & MASK32, k[1] + 0xBB67AE85 & MASK32]
    return x


def words(n: int, key: int, draw: int, first_block: int = 0) -> list[int]:
    start = first_block + (draw << 64)
    blocks = (philox((start + g) % 2**128, key) for g in range(-(-n // 4)))
    return [word for block in blocks for word in block][:n]


def derive_key(seed: int, stream: str) -> int:
    h = 0xCBF29CE484222325
    for byte in stream.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    x = philox(h | 0x74726F63 << 64, seed)
    return x[0] | x[1] << 32


def as_float32(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]


def normals(bits: list[int]) -> list[float]:
    out = []
    for a, b in zip(bits[::2], bits[1::2]):
        r, angle = math.sqrt(-2 * math.log((a + 1) / 2**32)), 2 * math.pi * (b / 2**32)
        out += [as_float32(r * math.cos(angle)), as_float32(r * math.sin(angle))]
    return out


def split(key: int) -> list[int]:
    return [key & MASK32, key >> 32]


SEEDS = [(0, ""), (0, "dropout"), (1, "dropout"), (42, "données/ürsprung"), (2**53 - 1, "noise")]
# (key, draw counter, first block, length): carries out of word 0, large draw counters, odd tails.
DRAWS = [
    (0, 0, 0, 9),
    (0x0123456789ABCDEF, 1, 0, 16),
    (derive_key(0, "dropout"), 2**32 - 1, 0, 5),
    (derive_key(0, "dropout"), 2**53 - 1, 7, 8),
    (derive_key(1, "noise"), 3, 2**32 - 2, 16),
    (derive_key(1, "noise"), 2**40 + 5, 2**45 - 1, 8),
    (2**64 - 1, 0, 5 * 2**32 - 1, 12),
]
# One block at counters where an increment carries through every word.
BLOCKS = [0, 2**32 - 1, 2**32, 2**64 - 1, 2**64, 2**96 - 1, 2**96, 2**128 - 1]

assert philox(0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]  # Random123's vector
record = {
    "keys": [{"seed": s, "stream": t, "key": split(derive_key(s, t))} for s, t in SEEDS],
    "blocks": [
        {
            "counter": [c >> 32 * i & MASK32 for i in range(4)],
            "key": split(0x853C49E6748FEA9B),
            "output": philox(c, 0x853C49E6748FEA9B),
        }
        for c in BLOCKS
    ],
    "draws": [
        {"key": split(k), "counter": d, "firstBlock": f, "bits": words(n, k, d, f)}
        for k, d, f, n in DRAWS
    ],
    "values": {
        "key": split(derive_key(42, "values")),
        "counter": 11,
        "uniform": [(b >> 8) / 2**24 for b in words(64, derive_key(42, "values"), 11)],
        "normal": normals(words(64, derive_key(42, "values"), 11)),
        "permutation": sorted(
            range(64), key=lambda i, b=words(64, derive_key(42, "values"), 11): (b[i], i)
        ),
    },
}
path = pathlib.Path(__file__).with_name("philox.json")
path.write_text(json.dumps(record, indent=2) + "\n")
