#!/usr/bin/env python3
"""Writes checkpoints of small policies as PyTorch programs save them. Needs torch 2.13.

    python3 make_checkpoints.py            writes *.pt and expected.json into this folder
    python3 make_checkpoints.py check DIR  reads each *.pt in DIR with weights_only=True, compares every
                                           tensor with that of the same name here, bit by bit, and loads
                                           weights into the modules and moments into AdamW, strictly

The modules are those of ../oracle/make_parity.py. expected.json holds for each file the sizes of its
policy, its plain values, and for each tensor path, dtype, shape and the SHA-256 of its elements in C
order, little-endian, as PyTorch read them back.
"""
import argparse
import hashlib
import json
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "oracle"))
import make_parity as oracle  # noqa: E402

PARTS = ("sensor_encoder", "action_expert")
SIZES = {
    **oracle.BASE, **oracle.TINY,
    "conv": 2, "tower_layers": 1, "tower_heads": 2, "num_layers": 1, "nhead": 2, "horizon": 4,
}


def policy(family, fusion="concat", sensor=True, **sizes):
    c = {**SIZES, **sizes, "fusion_strategy": fusion}
    if not sensor:
        c["sensor_dim"] = 0
    parts = {"sensor_encoder": oracle.SensorEncoder(c)} if sensor else {}
    return {**parts, "action_expert": oracle.EXPERTS[family](c)}


def perturbed(parts):
    for part in parts.values():
        oracle.perturb(part)
    return parts


def four_groups(parts):
    """As the regression programs: the expert first, and no decay for biases and normalisations."""
    rates = {"action_expert": 1e-4, "sensor_encoder": 5e-4}
    groups = [g for name in reversed(parts) for g in oracle.groups(parts[name], rates[name])]
    return torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)


def one_group(parts):
    """As the diffusion program: all parameters, in the order of the model."""
    parameters = [p for part in parts.values() for p in part.parameters()]
    return torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.01)


def train(parts, optimizer, steps=3, without=()):
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 / (1 + k))
    for part in parts.values():
        for name, buffer in part.named_buffers():
            if name.endswith("num_batches_tracked"):
                buffer.fill_(steps)
    for _ in range(steps):
        for name, part in parts.items():
            for parameter in part.parameters():
                parameter.grad = None if name in without else torch.randn_like(parameter)
        optimizer.step()
        scheduler.step()
    return optimizer, scheduler


def prefixed(parts, prefix=""):
    return {f"{prefix}{part}.{key}": value for part, module in parts.items() for key, value in module.state_dict().items()}


def vision(prefix=""):
    """A stand-in for the frozen vision-language model."""
    return {
        f"{prefix}vl_model.model.embed_tokens.weight": torch.randn(6, 4).bfloat16(),
        f"{prefix}vl_model.model.norm.weight": torch.ones(4).bfloat16(),
    }


def halves(parts, part, dtype):
    return {k: v.to(dtype) if v.is_floating_point() else v for k, v in parts[part].state_dict().items()}


def flattened(parts):
    """One storage for all floats, as flattening wrappers leave it, a transposed and an expanded one."""
    state = prefixed(parts)
    floats = {k: v for k, v in state.items() if v.is_floating_point()}
    flat = torch.cat([v.reshape(-1) for v in floats.values()])
    at = 0
    for key, value in floats.items():
        state[key] = flat[at:at + value.numel()].view(value.shape)
        at += value.numel()
    weight = "action_expert.output_head.1.weight"
    state[weight] = state[weight].t().contiguous().t()
    variance = "sensor_encoder.conv_backbone.1.running_var"
    state[variance] = torch.tensor([0.75]).expand(state[variance].shape)
    return state


def blobs(optimizer, scheduler):
    return {"optimizer_state_dict": optimizer.state_dict(), "scheduler_state_dict": scheduler.state_dict()}


def policies():
    """Name: (family, fusion, parts, dictionary, optimizer's maker or None)."""
    torch.manual_seed(11)
    made = {}

    def stage1(name, family, fusion, sizes=None, without=()):
        parts = perturbed(policy(family, fusion, **(sizes or {})))
        value = {
            "epoch": 6, **{p: parts[p].state_dict() for p in PARTS},
            **blobs(*train(parts, four_groups(parts), without=without)),
            "val_loss": 0.125, "training_stage": "stage1",
        }
        made[name] = (family, fusion, parts, value, four_groups)

    stage1("qwen_vla_sensor_best", "regression", "concat", {"tower_layers": 2, "num_layers": 2})
    # The sensor encoder gets no gradient, and AdamW no moments for it.
    stage1("stage1_none", "regression", "none", without=("sensor_encoder",))

    parts = perturbed(policy("regression", "cross_attention"))
    optimizer = train(parts, four_groups(parts))
    value = {
        "epoch": 99, "model_state_dict": {**vision("module."), **prefixed(parts, "module.")},
        **blobs(*optimizer),
    }
    made["encoder_action_final"] = ("regression", "cross_attention", parts, value, four_groups)

    parts = perturbed(policy("regression", "gated"))
    made["state_dict"] = ("regression", "gated", parts, prefixed(parts), None)

    parts = perturbed(policy("diffusion", "concat"))
    value = {
        "epoch": 3, **{p: parts[p].state_dict() for p in PARTS},
        **blobs(*train(parts, one_group(parts))), "loss": 0.25, "training_stage": "stage1",
    }
    made["diffusion_epoch3"] = ("diffusion", "concat", parts, value, one_group)

    parts = perturbed(policy("diffusion", "gated"))
    value = {
        "epoch": 2, "model_state_dict": {**vision(), **prefixed(parts)},
        **{p: parts[p].state_dict() for p in PARTS},
        **blobs(*train(parts, one_group(parts))), "train_loss": 1.0, "val_loss": 0.5,
    }
    made["diffusion_best"] = ("diffusion", "gated", parts, value, one_group)

    parts = perturbed(policy("no_sensor", "none", sensor=False))
    value = {
        "epoch": 4, "sensor_encoder": None, "action_expert": parts["action_expert"].state_dict(),
        **blobs(*train(parts, four_groups(parts))), "val_loss": 2.0, "training_stage": "stage1",
    }
    made["no_sensor"] = ("no_sensor", "none", parts, value, four_groups)

    for dtype in (torch.bfloat16, torch.float16):
        parts = perturbed(policy("regression", "concat"))
        for part in parts.values():
            part.to(dtype)
        value = {
            "epoch": 1, **{p: parts[p].state_dict() for p in PARTS},
            **blobs(*train(parts, four_groups(parts))), "val_loss": 0.1, "training_stage": "stage1",
        }
        made[str(dtype)[6:]] = ("regression", "concat", parts, value, four_groups)

    parts = perturbed(policy("regression", "concat"))
    made["views"] = ("regression", "concat", parts, flattened(parts), None)
    return made


def tensors(value, path=()):
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, (dict, list, tuple)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from tensors(child, (*path, key))


def digest(tensor):
    return hashlib.sha256(tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()).hexdigest()


def describe(value):
    return [
        {"path": path, "dtype": str(t.dtype)[6:], "shape": list(t.shape), "sha256": digest(t)}
        for path, t in tensors(value)
    ]


def states(value):
    """The state dictionaries of the two parts, wherever they lie."""
    if "action_expert" in value:
        return {p: value[p] for p in PARTS if value.get(p) is not None}
    flat = value.get("model_state_dict", value)
    flat = {k.removeprefix("module."): v for k, v in flat.items()}
    found = {p: {k[len(p) + 1:]: v for k, v in flat.items() if k.startswith(p + ".")} for p in PARTS}
    return {p: state for p, state in found.items() if state}


def load(parts, value, make_optimizer):
    """Strictly: every key, every shape, every moment."""
    found = states(value)
    assert set(found) == set(parts), (set(found), set(parts))
    for name, part in parts.items():
        part.load_state_dict(found[name], strict=True)
    if make_optimizer is None or "optimizer_state_dict" not in value:
        return None
    optimizer = make_optimizer(parts)
    optimizer.load_state_dict(value["optimizer_state_dict"])
    return optimizer


def same_moments(ours, theirs):
    a, b = ours.state_dict(), theirs.state_dict()
    assert a["param_groups"] == b["param_groups"], (a["param_groups"], b["param_groups"])
    assert list(a["state"]) == list(b["state"])
    assert describe(a["state"]) == describe(b["state"])


def check(folder):
    for name, (_, _, parts, value, make_optimizer) in policies().items():
        recorded = torch.load(HERE / f"{name}.pt", weights_only=True)
        written = torch.load(folder / f"{name}.pt", weights_only=True)
        for part, state in states(recorded).items():
            ours = states(written)[part]
            assert list(ours) == list(state), f"{name}: the keys of {part} differ"
            assert describe(ours) == describe(state), f"{name}: {part} differs"
        theirs = load(parts, recorded, make_optimizer)
        ours = load(parts, written, make_optimizer)
        if theirs is not None:
            same_moments(ours, theirs)
        for key in ("scheduler_state_dict", "val_loss", "loss", "train_loss", "training_stage", "epoch"):
            if recorded.get(key) != written.get(key):
                print(f"{name}: {key} is {written.get(key)!r} here, {recorded.get(key)!r} there")
        print(f"{name}: {len(describe(written))} tensors, moments {'none' if theirs is None else 'equal'}")


def main():
    expected = {}
    for name, (family, fusion, parts, value, make_optimizer) in policies().items():
        path = HERE / f"{name}.pt"
        torch.save(value, path)
        again = torch.load(path, weights_only=True)
        load(parts, again, make_optimizer)
        expected[name] = {
            "family": family.replace("_", "-"), "fusion": fusion,
            "values": {k: v for k, v in again.items() if isinstance(v, (int, float, str))},
            "tensors": describe(again),
        }
    torch.save({"epoch": 1, **{"action_expert": {"x": torch.arange(3.0)}}}, HERE / "legacy.pt",
               _use_new_zipfile_serialization=False)
    torch.save({"epoch": 1, "args": argparse.Namespace(lr=1e-4)}, HERE / "namespace.pt")
    lines = [
        json.dumps(name) + ": " + json.dumps({**facts, "tensors": []})[:-2] + "\n  "
        + ",\n  ".join(json.dumps(t) for t in facts["tensors"]) + "]}"
        for name, facts in expected.items()
    ]
    (HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    check(Path(sys.argv[2])) if len(sys.argv) > 2 else main()
