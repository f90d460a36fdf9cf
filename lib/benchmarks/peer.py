"""What trocar is measured against: PyTorch and NumPy, in a process of their own.

Started as `python3 peer.py THREADS`; speaks as peer_protocol.py says. Subjects are `matmul`,
`dispatch` and `step`, and there is one more request:

    {"do": "fill", "index", "count", "scale"} -> {"values"}

Matrices, parameters and inputs hold the same numbers as in fill.ts and stack.ts, bit for bit.
"""

import math
import time

import peer_protocol

THREADS = peer_protocol.limit_threads()

try:
    import numpy as np
except ImportError:
    np = None
try:
    import torch
    from torch.nn import functional as F
except ImportError:
    torch = None

SHORTEST = 0.001  # seconds of a run: the clock and the loop must not count
MOST_REPEATS = 10_000
LINKS = 16


def fill(index, count, scale):
    """Numbers from -scale to scale, float32: element k of array i is the 32-bit finaliser of
    MurmurHash3 of k + i * 0x9e3779b9, as a signed integer, times scale / 2**31 in float64."""
    values = np.empty(count, dtype=np.float32)
    chunk = 1 << 16  # fits a cache
    for start in range(0, count, chunk):
        stop = min(start + chunk, count)
        h = np.arange(start, stop, dtype=np.uint32)
        h += np.uint32(index * 0x9E3779B9 & 0xFFFFFFFF)
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
        values[start:stop] = h.view(np.int32).astype(np.float64) * (scale / 2**31)
    return values


def repeated(body):
    """A run that repeats the body until the clock can tell, and the number of repetitions."""
    repeats = 1

    def run():
        for _ in range(repeats):
            body()

    while True:
        run()
        start = time.perf_counter()
        run()
        elapsed = time.perf_counter() - start
        if elapsed >= SHORTEST or repeats >= MOST_REPEATS:
            return {"run": run, "repeats": repeats, "facts": {}}
        repeats = min(MOST_REPEATS, math.ceil(repeats * max(2, 1.2 * SHORTEST / elapsed)))


def matmul(config):
    m, k, n = config["m"], config["k"], config["n"]
    a, b = fill(0, m * k, 1).reshape(m, k), fill(1, k * n, 1).reshape(k, n)
    if config["library"] == "numpy":
        return repeated(lambda: a @ b)
    x, y = torch.from_numpy(a), torch.from_numpy(b)
    if config["casts"]:
        return repeated(lambda: (x.bfloat16() @ y.bfloat16()).float())
    if config["precision"] == "bf16":
        x, y = x.bfloat16(), y.bfloat16()
    return repeated(lambda: x @ y)


def chain(x, a, b):
    """16 times the same 8 ops, as in _dispatch_subject.ts."""
    for _ in range(LINKS):
        x = x.add(a).mul(b).sub(a).relu().add(b).tanh().square().neg()
    return x


def dispatch(config):
    x, a, b = (torch.from_numpy(fill(i, 8, 1)) for i in range(3))
    is_add = config["ops"] == "add"
    subject = repeated((lambda: x.add(a)) if is_add else (lambda: chain(x, a, b)))
    return {**subject, "repeats": subject["repeats"] * (1 if is_add else 8 * LINKS)}


def step(config):
    """The network of stack.ts and its training step: forward, backward, clip, fused AdamW."""
    size, batch, window = config["size"], config["batch"], config["window"]
    is_bf16 = config["precision"] == "bf16"
    p = {}
    for index, (name, shape) in enumerate(config["shapes"].items()):
        value = fill(index, math.prod(shape), config["weightScale"]).reshape(shape)
        if "norm" in name and name.endswith(".weight"):
            value += np.float32(1)
        if name.startswith("conv") and len(shape) == 3:  # [width, in, out] -> [out, in, width]
            value = np.ascontiguousarray(value.transpose(2, 1, 0))
        p[name] = torch.nn.Parameter(torch.from_numpy(value))

    def tensor(index, *shape):
        return torch.from_numpy(fill(index, math.prod(shape), 1).reshape(shape))

    inputs = tensor(1000, batch, window, size["channels"]), tensor(1001, batch, size["context"])
    target = tensor(1002, batch, size["horizon"], size["actions"])
    optimizer = torch.optim.AdamW(p.values(), lr=1e-4, weight_decay=0.01, fused=True)

    def train():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            prediction = stack(p, size, *inputs)
        loss = (prediction.float() - target).square().mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
        optimizer.step()
        return loss.item(), norm.item()

    start = time.perf_counter()
    first, norm = train()
    first_call = time.perf_counter() - start
    second, _ = train()
    facts = {"losses": [first, second], "gradientNorm": norm, "firstCallSeconds": first_call}
    return {"run": train, "repeats": 1, "facts": facts}


def stack(p, size, x, context):
    """Action chunks (batch, horizon, actions) from windows (batch, time, channels) and features."""
    heads, width = size["heads"], size["width"]
    encoder, decoder = size["blocks"]

    def linear(name, x):
        return F.linear(x, p[name + ".weight"], p[name + ".bias"])

    def norm(name, x):
        return F.layer_norm(x, (x.shape[-1],), p[name + ".weight"], p[name + ".bias"])

    def split(y):
        return y.reshape(*y.shape[:2], heads, width // heads).transpose(1, 2)

    def attention(name, x, memory):
        w, bias = p[name + ".in.weight"], p[name + ".in.bias"]
        if x is memory:
            q, k, v = F.linear(x, w, bias).chunk(3, -1)
        else:
            q = F.linear(x, w[:width], bias[:width])
            k, v = F.linear(memory, w[width:], bias[width:]).chunk(2, -1)
        mixed = F.scaled_dot_product_attention(split(q), split(k), split(v))
        return linear(name + ".out", mixed.transpose(1, 2).reshape(x.shape))

    def feed_forward(name, x):
        return linear(name + ".down", F.relu(linear(name + ".up", x)))

    x = x.transpose(1, 2)
    for i in range(4):
        x = F.conv1d(x, p[f"conv{i}.weight"], p[f"conv{i}.bias"], stride=2, padding=1)
        x = F.gelu(norm(f"conv{i}.norm", x.transpose(1, 2))).transpose(1, 2)
    x = x.transpose(1, 2)
    for i in range(encoder):
        y = norm(f"block{i}.norm0", x)
        x = x + attention(f"block{i}.self", y, y)
        x = x + feed_forward(f"block{i}", norm(f"block{i}.norm1", x))
    feature = linear("project", F.gelu(norm("pool.norm", linear("pool", x.mean(1)))))
    memory = linear("fuse", torch.cat([context, feature], -1))[:, None]
    h = p["positions"].expand(context.shape[0], -1, -1)
    for i in range(encoder, encoder + decoder):
        h = norm(f"block{i}.norm0", h + attention(f"block{i}.self", h, h))
        h = norm(f"block{i}.norm1", h + attention(f"block{i}.cross", h, memory))
        h = norm(f"block{i}.norm2", h + feed_forward(f"block{i}", h))
    return linear("head", norm("head.norm", h))


SUBJECTS = {"matmul": matmul, "dispatch": dispatch, "step": step}


def prepare(config):
    return SUBJECTS[config["subject"]](config)


def answer_fill(request):
    return {"values": fill(request["index"], request["count"], request["scale"]).tolist()}


if __name__ == "__main__":
    has_torch = np is not None and torch is not None
    if has_torch:
        torch.set_num_threads(int(THREADS))
    versions = {"numpy": np and np.__version__, "torch": torch.__version__ if has_torch else None}
    peer_protocol.serve(versions, prepare, {"fill": answer_fill})
