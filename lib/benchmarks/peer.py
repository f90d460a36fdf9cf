"""What trocar is measured against: PyTorch and NumPy, in a process of their own.

Started as `python3 peer.py THREADS`; speaks as peer_protocol.py says. Subjects are `matmul`,
`dispatch` and `step`, and there is one more request:

    {"do": "fill", "index", "count", "scale"} -> {"values"}

Matrices, parameters and inputs hold the same numbers as in fill.ts and step_weights.ts, bit for bit.
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
    import peer_policies
    import torch
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
    """A training step of a policy: forward, backward, clip, fused AdamW."""
    policy, batch = config["policy"], config["batch"]
    sensor, action = policy["sensorEncoder"], policy["actionExpert"]
    is_bf16 = config["precision"] == "bf16"

    def tensor(index, *shape):
        return torch.from_numpy(fill(index, math.prod(shape), 1).reshape(shape))

    parts = peer_policies.policy_modules(policy)
    load(parts, config["weights"])
    encoder, expert = parts["sensor_encoder."].train(), parts["action_expert."].train()
    window = tensor(1000, batch, sensor["temporalLength"], sensor["inputChannels"])
    vision = tensor(1001, batch, 1, action["visionDim"])
    actions = tensor(1002, batch, action["horizon"], action["actionDim"])
    is_diffusion = policy["family"] == "diffusion"
    target = tensor(1003, *actions.shape) if is_diffusion else actions
    steps = torch.tensor([int(action["timesteps"] * (i + 0.5) / batch) for i in range(batch)])
    inputs = {"vl": vision, "z_chunk": torch.zeros_like(target), "actions": actions, "eps": target, "t": steps}
    predict = expert.training_noise if is_diffusion else expert
    parameters = [p for part in parts.values() for p in part.parameters()]
    optimizer = torch.optim.AdamW(
        [group for part in parts.values() for group in peer_policies.groups(part, 1e-4)], fused=True
    )

    def train():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            prediction = predict({**inputs, "sensor": encoder(window)})
        loss = (prediction.float() - target).square().mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss.item(), norm.item()

    start = time.perf_counter()
    first, norm = train()
    first_call = time.perf_counter() - start
    second, _ = train()
    facts = {"losses": [first, second], "gradientNorm": norm, "firstCallSeconds": first_call}
    return {"run": train, "repeats": 1, "facts": facts}


def load(parts, weights):
    """Gives every parameter the values that step_weights.ts gives it; both must have the same ones."""
    parameters = {prefix + name: p for prefix, part in parts.items() for name, p in part.named_parameters()}
    expected = [(each["key"], tuple(each["shape"])) for each in weights]
    found = [(key, tuple(p.shape)) for key, p in parameters.items()]
    if sorted(found) != sorted(expected):
        raise ValueError(f"PyTorch's parameters are others: {sorted(set(found) ^ set(expected))[:4]}")
    with torch.no_grad():
        for index, each in enumerate(weights):
            values = fill(index, math.prod(each["shape"]), each["scale"]) + np.float32(each["centre"])
            parameters[each["key"]].copy_(torch.from_numpy(values).reshape(each["shape"]))


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
