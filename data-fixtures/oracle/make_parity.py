#!/usr/bin/env python3
"""Writes the parity fixtures: small policies in PyTorch, with weights, inputs, outputs, gradients and one
AdamW step. Needs torch 2.x.

    python3 make_parity.py FOLDER

writes FAMILY_FUSION.json, more/*.json and sampling/ddpm_ddim.json. The eight FAMILY_FUSION.json that lie here come from another
PyTorch implementation of the same networks; this script writes the same numbers, but for rounding (and
for what AdamW makes of gradients that are zero but for rounding: the biases before BatchNorm).

The networks are those of lib/benchmarks/peer_policies.py.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.append(str(Path(__file__).parents[2] / "lib" / "benchmarks"))
from peer_policies import EXPERTS, SensorEncoder, groups


def perturb(module):
    """Layers of a PyTorch stack start equal; a mistake in their order would not show."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.1 * torch.randn_like(buffer))
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand_like(buffer))


def weighted_loss(family, output, target, confidence, has_sensor):
    weight = confidence * torch.where(has_sensor, 2.0, 1.0)
    if family != "diffusion":
        weight = weight / weight.mean()
    return ((output - target).pow(2).mean((1, 2)) * weight).mean()


def fixture(family, c, inputs, number):
    torch.manual_seed(1234)
    parts = {}
    if family != "no_sensor":
        parts["sensor_encoder."] = SensorEncoder(c)
    expert = parts["action_expert."] = EXPERTS[family](c)
    for part in parts.values():
        perturb(part)
    batch, rows, tokens = inputs["batch"], inputs["rows"], inputs["tokens"]
    x = {
        "window": torch.randn(batch, rows, c["C"]),
        "vl": torch.randn(batch, tokens, c["vl_dim"]),
        "actions": torch.randn(batch, c["horizon"], c["action_dim"]),
        "z_chunk": torch.randn(batch, c["horizon"], c["action_dim"]),
        "t": torch.tensor(inputs["t"]),
        "eps": torch.randn(batch, c["horizon"], c["action_dim"]),
    }
    confidence, has_sensor = torch.tensor(inputs["confidence"]), torch.tensor(inputs["has_sensor"])

    def dump(t):
        return {"shape": list(t.shape), "data": number(t.detach())}

    def features():
        used = "sensor_encoder." in parts and c["fusion_strategy"] != "none"
        return parts["sensor_encoder."](x["window"]) if used else None

    def state():
        return {p + k: dump(v) for p, m in parts.items() for k, v in m.state_dict().items()}

    out = {
        "config": {k: v for k, v in c.items() if k != "conv"},
        "inputs": {
            **{k: v.tolist() if k == "t" else dump(v) for k, v in x.items()},
            "confidence": confidence.tolist(),
            "has_sensor": has_sensor.tolist(),
        },
        "before": state(),
    }
    for part in parts.values():
        part.eval()
    with torch.no_grad():
        if "sensor_encoder." in parts:
            out["eval_sensor"] = dump(parts["sensor_encoder."](x["window"]))
        x["sensor"] = features()
        out["eval_out"] = dump(expert(x))
        if family == "diffusion":
            out["eval_ddim5"] = dump(expert.ddim(x, 5))
    for part in parts.values():
        part.train()
    rates = {"action_expert.": 1e-3, "sensor_encoder.": 5e-3}
    optimizer = torch.optim.AdamW([g for p in reversed(parts) for g in groups(parts[p], rates[p])])
    x["sensor"] = features()
    output = expert.training_noise(x) if family == "diffusion" else expert(x)
    target = x["eps"] if family == "diffusion" else x["actions"]
    loss = weighted_loss(family, output, target, confidence, has_sensor)
    loss.backward()
    named = [(p + n, q) for p, m in parts.items() for n, q in m.named_parameters()]
    out["loss"] = loss.item()
    out["grads"] = {n: dump(q.grad) for n, q in named if q.grad is not None}
    out["grad_norm"] = float(torch.nn.utils.clip_grad_norm_([q for _, q in named], 1.0))
    optimizer.step()
    out["after"] = state()
    return out


BASE = dict(C=10, T=21, W=8, SD=20, tower_heads=4, tower_layers=2, timesteps=20, vl_dim=12, sensor_dim=20,
            action_dim=7, horizon=8, hidden_dim=16, nhead=4, num_layers=2, fusion_strategy="concat",
            dropout=0.0, conv=4, interpolation_mode="linear")
THREE = dict(batch=3, rows=21, tokens=1, t=[0, 7, 19], confidence=[1.0, 0.5, 1.0], has_sensor=[True, False, True])
TINY = dict(C=5, W=4, SD=6, sensor_dim=6, vl_dim=6, hidden_dim=8)
MORE = {
    "no_sensor": ("no_sensor", {**TINY, "fusion_strategy": "none"}, {}),
    # Windows of another length than the encoder's, several tokens, one layer, uneven heads.
    "cross_attention_resampled": (
        "regression",
        {**TINY, "fusion_strategy": "cross_attention", "T": 13, "tower_layers": 1, "tower_heads": 2,
         "num_layers": 1, "nhead": 2, "horizon": 5},
        {"tokens": 4, "rows": 29},
    ),
    "gated_nearest": (
        "diffusion",
        {**TINY, "fusion_strategy": "gated", "T": 33, "interpolation_mode": "nearest", "tower_layers": 0,
         "conv": 3, "nhead": 8, "num_layers": 1, "action_dim": 4, "timesteps": 50},
        {"batch": 2, "tokens": 2, "rows": 12, "t": [3, 49], "confidence": [1.0, 0.25], "has_sensor": [False, True]},
    ),
}


def exact(t):
    return t.double().flatten().tolist()


def short(t):
    """The shortest decimals that give the same float32."""
    return [float(str(v)) for v in t.float().flatten().numpy().astype(np.float32)]


def sampling(steps=20):
    """DDPM and DDIM with a network that is a formula, from and with given noise."""
    torch.manual_seed(7)
    u = (torch.arange(steps + 1, dtype=torch.float32) / steps + 0.008) / 1.008
    f = torch.cos(u * torch.pi * 0.5) ** 2 / torch.cos(u[0] * torch.pi * 0.5) ** 2
    beta = (1 - f[1:] / f[:-1]).clamp(1e-4, 0.9999)
    alpha_bar = torch.cumprod(1 - beta, 0)
    before = torch.cat((torch.ones(1), alpha_bar[:-1]))
    start, noise = torch.randn(2, 4, 3), torch.randn(steps, 2, 4, 3)

    def network(x, k):
        return torch.tanh(0.9 * x) * (0.5 + 0.02 * k)

    x = start
    for k in range(steps - 1, -1, -1):
        x = (1 / (1 - beta[k])).sqrt() * (x - beta[k] * network(x, k) / (1 - alpha_bar[k]).sqrt())
        if k > 0:
            x = x + (beta[k] * (1 - before[k]) / (1 - alpha_bar[k])).sqrt() * noise[k]
    ddim, ladder = start, [12, 8, 4, 0]
    for k, below in zip(ladder, ladder[1:] + [None]):
        eps, a = network(ddim, k), alpha_bar[k]
        chunk = ((1 / a).sqrt() * ddim - (1 / a - 1).sqrt() * eps).clamp(-1, 1)
        after = torch.tensor(1.0) if below is None else alpha_bar[below]
        ddim = after.sqrt() * chunk + (1 - after).sqrt() * eps
    tensors = {"start": start, "noise": noise, "beta": beta, "alpha_bar": alpha_bar, "ddpm": x, "ddim": ddim}
    return {k: {"shape": list(v.shape), "data": short(v)} for k, v in tensors.items()}


def main(folder):
    (folder / "more").mkdir(parents=True, exist_ok=True)
    for kind in ("concat", "cross_attention", "gated", "none"):
        for family in ("regression", "diffusion"):
            config = {k: v for k, v in {**BASE, "fusion_strategy": kind}.items()}
            made = fixture(family, config, THREE, exact)
            made["config"].pop("interpolation_mode")
            (folder / f"{family}_{kind}.json").write_text(json.dumps(made))
    for name, (family, config, inputs) in MORE.items():
        made = fixture(family, {**BASE, **config}, {**THREE, **inputs}, short)
        (folder / "more" / f"{name}.json").write_text(json.dumps(made))
    (folder / "sampling").mkdir(exist_ok=True)
    (folder / "sampling" / "ddpm_ddim.json").write_text(json.dumps(sampling()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
