"""The step benchmark's network and training step in PyTorch, timed as trocar's are.

Usage: python3 peer.py step '{"channels":1026,...}' BATCH WINDOW STEPS WARMUP PRECISION
       python3 peer.py matmul '[[64,64,64],...]' RUNS
Prints one JSON document. Parameters and inputs are the same closed formulas as in step.ts, so that
the first loss and gradient norm of both can be compared.
"""

import json
import math
import resource
import sys
import time

import numpy as np


def fill(index, count, scale):
    """The values of the index-th array: scale * sin(0.7 i + index), as float32."""
    return (scale * np.sin(0.7 * np.arange(count, dtype=np.float64) + index)).astype(np.float32)


def peak_rss():
    """Peak resident memory of this process, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def step(size, batch, window, steps, warmup, precision):
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(int(size.pop("threads")))
    shapes = size.pop("shapes")
    params = {}
    for index, (name, shape) in enumerate(shapes.items()):
        scale = 0.02
        value = fill(index, math.prod(shape), scale).reshape(shape)
        if name.endswith("norm.weight") or ".norm" in name and name.endswith(".weight"):
            value = value + np.float32(1)
        if name.startswith("conv") and len(shape) == 3:  # [width, in, out] -> [out, in, width]
            value = np.ascontiguousarray(value.transpose(2, 1, 0))
        params[name] = torch.nn.Parameter(torch.from_numpy(value))
    p = params
    x0 = torch.from_numpy(fill(1000, batch * window * size["channels"], 1).reshape(batch, window, -1))
    vl = torch.from_numpy(fill(1001, batch * size["context"], 1).reshape(batch, -1))
    target = torch.from_numpy(
        fill(1002, batch * size["horizon"] * size["actions"], 1).reshape(batch, size["horizon"], -1)
    )
    heads, width = size["heads"], size["width"]
    encoder, decoder = size["blocks"]

    def linear(name, x):
        return F.linear(x, p[name + ".weight"], p[name + ".bias"])

    def norm(name, x):
        return F.layer_norm(x, (x.shape[-1],), p[name + ".weight"], p[name + ".bias"])

    def attention(name, x, memory):
        b, q, _ = x.shape
        k = memory.shape[1]
        w, bias = p[name + ".in.weight"], p[name + ".in.bias"]
        if x is memory:
            qh, kh, vh = F.linear(x, w, bias).chunk(3, -1)
        else:
            qh = F.linear(x, w[:width], bias[:width])
            kh, vh = F.linear(memory, w[width:], bias[width:]).chunk(2, -1)
        split = lambda y, n: y.reshape(b, n, heads, width // heads).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(split(qh, q), split(kh, k), split(vh, k))
        return linear(name + ".out", mixed.transpose(1, 2).reshape(b, q, width))

    def forward():
        x = x0.transpose(1, 2)
        for i in range(4):
            x = F.conv1d(x, p[f"conv{i}.weight"], p[f"conv{i}.bias"], stride=2, padding=1)
            x = F.gelu(norm(f"conv{i}.norm", x.transpose(1, 2))).transpose(1, 2)
        x = x.transpose(1, 2)
        for i in range(encoder):
            y = norm(f"block{i}.norm0", x)
            x = x + attention(f"block{i}.self", y, y)
            x = x + linear(f"block{i}.down", F.relu(linear(f"block{i}.up", norm(f"block{i}.norm1", x))))
        feature = linear("project", F.gelu(norm("pool.norm", linear("pool", x.mean(1)))))
        memory = linear("fuse", torch.cat([vl, feature], -1))[:, None]
        h = p["positions"].expand(batch, -1, -1)
        for i in range(encoder, encoder + decoder):
            h = norm(f"block{i}.norm0", h + attention(f"block{i}.self", h, h))
            h = norm(f"block{i}.norm1", h + attention(f"block{i}.cross", h, memory))
            h = norm(f"block{i}.norm2", h + linear(f"block{i}.down", F.relu(linear(f"block{i}.up", h))))
        return linear("head", norm("head.norm", h))

    optimizer = torch.optim.AdamW(params.values(), lr=1e-4, weight_decay=0.01, fused=True)
    times, first = [], None
    for i in range(warmup + steps):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            prediction = forward()
        loss = (prediction.float() - target).square().mean()
        loss.backward()
        gradient_norm = torch.nn.utils.clip_grad_norm_(params.values(), 1.0)
        optimizer.step()
        value = loss.item()
        if i >= warmup:
            times.append((time.perf_counter() - start) * 1000)
        if first is None:
            first = {"loss": value, "gradientNorm": gradient_norm.item()}
        last = value
    return {
        "version": torch.__version__,
        "times": times,
        "first": first,
        "lastLoss": last,
        "peakRss": peak_rss(),
    }


def matmul(sizes, runs, threads):
    result = {"numpy": {}, "torch": {}}
    cases = [("numpy", "f32"), ("torch", "f32"), ("torch", "bf16")]
    try:
        import torch

        torch.set_num_threads(threads)
        result["version"] = torch.__version__
    except ImportError:
        cases = cases[:1]
    for m, k, n in sizes:
        a, b = np.random.rand(m, k).astype(np.float32), np.random.rand(k, n).astype(np.float32)
        for library, precision in cases:
            if library == "torch":
                dtype = torch.float32 if precision == "f32" else torch.bfloat16
                x, y = torch.from_numpy(a).to(dtype), torch.from_numpy(b).to(dtype)
            else:
                x, y = a, b
            for _ in range(3):
                x @ y
            times = []
            for _ in range(runs):
                start = time.perf_counter()
                x @ y
                times.append((time.perf_counter() - start) * 1000)
            result[library][f"{precision} {m}x{k}x{n}"] = times
    return result


if __name__ == "__main__":
    what, argument, *rest = sys.argv[1:]
    if what == "step":
        batch, window, steps, warmup = map(int, rest[:4])
        print(json.dumps(step(json.loads(argument), batch, window, steps, warmup, rest[4])))
    else:
        print(json.dumps(matmul(json.loads(argument), int(rest[0]), int(rest[1]))))
