"""Records PyTorch's AdamW, SGD and clip_grad_norm_ step by step.

Oracles for lib/engine's optimisers. Gradients are drawn, not computed from a loss, so that a test
needs no model. All values are float32, printed as the float64 that equals them exactly.

    python3 make_adamw.py         # writes adamw.json, sgd.json and clip.json beside this file
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
SHAPES = {"weight": [3, 4], "bias": [5], "scale": [1]}
GROUPS = [  # one learning-rate schedule multiplies both base rates
    {"parameters": ["weight"], "lr": 1e-2, "weightDecay": 0.1},
    {"parameters": ["bias", "scale"], "lr": 2e-3, "weightDecay": 0.0},
]
STEPS = 12
# Warm-up, plateau, one step at zero, decay: a different factor at each step.
FACTORS = [0.1, 0.4, 0.7, 1.0, 0.95, 0.9, 0.0, 0.75, 0.6, 0.45, 0.3, 0.15]


def flat(tensor: torch.Tensor) -> list[float]:
    assert tensor.dtype == torch.float32
    return [float(v) for v in tensor.detach().reshape(-1)]


def draw_parameters(generator: torch.Generator) -> dict[str, torch.nn.Parameter]:
    return {
        name: torch.nn.Parameter(torch.randn(shape, generator=generator))
        for name, shape in SHAPES.items()
    }


def draw_gradients(step: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Gradients from 1e-6 to 1e2 in size; one element of `bias` is always exactly zero."""
    size = 10.0 ** (step % 4 * 2 - 4) if step % 3 == 2 else 1.0
    gradients = {
        name: size * torch.randn(shape, generator=generator) for name, shape in SHAPES.items()
    }
    gradients["bias"][2] = 0.0
    return gradients


def record(make_optimizer, state_names: dict[str, str], seed: int) -> dict:
    """Runs 12 steps; `state_names` maps PyTorch's state keys to the recorded names."""
    generator = torch.Generator().manual_seed(seed)
    parameters = draw_parameters(generator)
    groups = [
        {
            "params": [parameters[name] for name in group["parameters"]],
            "lr": group["lr"],
            "weight_decay": group["weightDecay"],
        }
        for group in GROUPS
    ]
    optimizer = make_optimizer(groups)
    initial = {name: flat(p) for name, p in parameters.items()}
    steps = []
    for step in range(STEPS):
        rates = [group["lr"] * FACTORS[step] for group in GROUPS]
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate
        gradients = draw_gradients(step, generator)
        for name, p in parameters.items():
            p.grad = gradients[name].clone()
        optimizer.step()
        entry = {
            "learningRates": rates,
            "gradients": {name: flat(g) for name, g in gradients.items()},
            "parameters": {name: flat(p) for name, p in parameters.items()},
        }
        for key, recorded_name in state_names.items():
            entry[recorded_name] = {
                name: flat(optimizer.state[p][key]) for name, p in parameters.items()
            }
        steps.append(entry)
    return {"initial": initial, "steps": steps}


def describe(**options) -> dict:
    return {
        "source": f"PyTorch {torch.__version__}, CPU, float32",
        "options": options,
        "shapes": SHAPES,
        "groups": GROUPS,
    }


def adamw() -> dict:
    betas, eps = (0.9, 0.999), 1e-8
    make = lambda groups: torch.optim.AdamW(groups, betas=betas, eps=eps, foreach=False)
    states = {"exp_avg": "expAvg", "exp_avg_sq": "expAvgSq"}
    return describe(betas=betas, eps=eps) | record(make, states, seed=1)


def sgd(momentum: float, seed: int) -> dict:
    make = lambda groups: torch.optim.SGD(groups, lr=1e-2, momentum=momentum, foreach=False)
    states = {"momentum_buffer": "momentum"} if momentum else {}
    return describe(momentum=momentum) | record(make, states, seed)


def clip_cases() -> dict:
    generator = torch.Generator().manual_seed(4)
    unit = {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()}
    norm = torch.sqrt(sum(g.square().sum() for g in unit.values()))
    cases = []
    for name, target in [
        ("below", 0.25), ("just below", 0.9999), ("above", 7.5), ("far above", 1e4), ("zero", 0.0)
    ]:
        gradients = {key: g * (target / norm) for key, g in unit.items()}
        parameters = {key: torch.nn.Parameter(torch.zeros_like(g)) for key, g in unit.items()}
        for key, p in parameters.items():
            p.grad = gradients[key].clone()
        returned = torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0, foreach=False)
        cases.append(
            {
                "name": name,
                "gradients": {key: flat(g) for key, g in gradients.items()},
                "norm": float(returned),
                "clipped": {key: flat(p.grad) for key, p in parameters.items()},
            }
        )
    header = describe(maxNorm=1.0, eps=1e-6)
    del header["groups"]
    return header | {"cases": cases}


def write(name: str, value: dict) -> None:
    (HERE / name).write_text(json.dumps(value, indent=2) + "\n")


write("adamw.json", adamw())
write("sgd.json", {"plain": sgd(0.0, seed=2), "momentum": sgd(0.9, seed=3)})
write("clip.json", clip_cases())
