"""The networks of architecture `reference` in PyTorch: what benchmarks time and fixtures are made with.

Modules are named so that state_dict() gives the keys of the policies' checkpoints. `c` holds the sizes
by the names of the fixtures' `config`. There is no dropout.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def encoder(width, heads, layers, activation="relu"):
    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, 0.0, activation=activation, batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class SensorEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        widths = [c["C"], c["W"]] + [2 * c["W"]] * (c["conv"] - 1)
        parts = []
        for before, after in zip(widths, widths[1:]):
            parts += [nn.Conv1d(before, after, 3, 2, 1), nn.BatchNorm1d(after), nn.GELU(), nn.Dropout(0.0)]
        self.conv_backbone = nn.Sequential(*parts)
        if c["tower_layers"] > 0:
            self.transformer = encoder(widths[-1], c["tower_heads"], c["tower_layers"])
        self.projection = nn.Sequential(
            nn.Linear(widths[-1], c["SD"]), nn.LayerNorm(c["SD"]), nn.GELU(), nn.Dropout(0.0),
            nn.Linear(c["SD"], c["SD"]),
        )

    def forward(self, window):
        x = window.transpose(1, 2)
        if x.shape[2] != self.c["T"]:
            mode = self.c["interpolation_mode"]
            align = {"align_corners": False} if mode == "linear" else {}
            x = F.interpolate(x, size=self.c["T"], mode=mode, **align)
        x = self.conv_backbone(x).transpose(1, 2)
        if self.c["tower_layers"] > 0:
            x = self.transformer(x)
        return self.projection(x.mean(1))


class Expert(nn.Module):
    """What the experts share: the four ways of making one condition of two features."""

    def add_fusion(self, c, last):
        width, kind = c["hidden_dim"], c["fusion_strategy"]
        self.kind, self.last = kind, last
        inputs = width
        if kind in ("cross_attention", "gated"):
            self.vl_proj = nn.Linear(c["vl_dim"], width)
            self.sensor_proj = nn.Linear(c["sensor_dim"], width)
            if kind == "gated":
                self.gate = nn.Sequential(nn.Linear(2 * width, width), nn.Sigmoid())
            else:
                self.cross_attn = nn.MultiheadAttention(width, c["nhead"], batch_first=True)
        else:
            inputs = c["vl_dim"] + (c["sensor_dim"] if kind == "concat" else 0)
        self.add_module(last, nn.Linear(inputs, width))

    def condition(self, vl, sensor):
        last = self.get_submodule(self.last)
        if self.kind == "none":
            return last(vl.mean(1))
        if self.kind == "concat":
            return last(torch.cat((vl.mean(1), sensor), -1))
        query = self.sensor_proj(sensor)
        if self.kind == "cross_attention":
            memory = self.vl_proj(vl)
            return last(self.cross_attn(query.unsqueeze(1), memory, memory)[0].squeeze(1))
        view = self.vl_proj(vl.mean(1))
        gate = self.gate(torch.cat((view, query), -1))
        return last(gate * view + (1.0 - gate) * query)


class Regression(Expert):
    def __init__(self, c):
        super().__init__()
        width = c["hidden_dim"]
        self.add_fusion(c, "fusion_proj")
        self.pos_embed = nn.Parameter(torch.randn(1, c["horizon"], width))
        layer = nn.TransformerDecoderLayer(width, c["nhead"], 4 * width, 0.0, batch_first=True)
        self.temporal_decoder = nn.TransformerDecoder(layer, c["num_layers"])
        self.output_head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, c["action_dim"]))

    def forward(self, x):
        memory = self.condition(x["vl"], x["sensor"]).unsqueeze(1)
        queries = self.pos_embed.expand(len(memory), -1, -1)
        return x["z_chunk"] + self.output_head(self.temporal_decoder(queries, memory))


class NoSensor(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["hidden_dim"]
        self.context_proj = nn.Sequential(nn.Linear(c["vl_dim"], width), nn.GELU(), nn.LayerNorm(width))
        self.input_proj = nn.Sequential(
            nn.Linear(width + c["action_dim"], width), nn.GELU(), nn.Dropout(0.0)
        )
        self.temporal_encoder = encoder(width, c["nhead"], c["num_layers"], "gelu")
        self.delta_head = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, c["action_dim"])
        )

    def forward(self, x):
        chunk = x["z_chunk"]
        context = self.context_proj(x["vl"]).expand(-1, chunk.shape[1], -1)
        hidden = self.input_proj(torch.cat((context, chunk), -1))
        return chunk + self.delta_head(self.temporal_encoder(hidden))


class Diffusion(Expert):
    def __init__(self, c):
        super().__init__()
        width, steps = c["hidden_dim"], c["timesteps"]
        f = torch.cos((torch.arange(steps + 1, dtype=torch.float32) / steps + 0.008) / 1.008 * torch.pi * 0.5) ** 2
        f = f / f[0]
        self.alpha_bar = torch.cumprod(1 - (1 - f[1:] / f[:-1]).clamp(1e-4, 0.9999), 0)
        self.time_embed = nn.Sequential(nn.Linear(128, width), nn.SiLU(), nn.Linear(width, width))
        self.add_fusion(c, "cond_proj")
        self.action_embed = nn.Linear(c["action_dim"], width)
        self.temporal_encoder = encoder(width, c["nhead"], c["num_layers"])
        self.output_head = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, c["action_dim"])
        )

    def noise(self, noisy, t, x):
        frequency = torch.exp(torch.arange(64, dtype=torch.float32) * (-math.log(10000) / 63))
        angle = t.float()[:, None] * frequency
        shared = self.time_embed(torch.cat((angle.sin(), angle.cos()), -1)) + self.condition(x["vl"], x["sensor"])
        return self.output_head(self.temporal_encoder(self.action_embed(noisy) + shared.unsqueeze(1)))

    def forward(self, x):
        return self.noise(x["z_chunk"], x["t"], x)

    def training_noise(self, x):
        a = self.alpha_bar[x["t"]].view(-1, 1, 1)
        return self.noise(a.sqrt() * x["actions"] + (1 - a).sqrt() * x["eps"], x["t"], x)

    def ddim(self, x, steps):
        stride = len(self.alpha_bar) // steps
        ladder = [i * stride for i in range(steps)][::-1]
        sample = x["z_chunk"]
        for k, below in zip(ladder, ladder[1:] + [None]):
            a = self.alpha_bar[k]
            noise = self.noise(sample, torch.full((len(sample),), k), x)
            chunk = ((1 / a).sqrt() * sample - (1 / a - 1).sqrt() * noise).clamp(-1, 1)
            after = torch.tensor(1.0) if below is None else self.alpha_bar[below]
            sample = after.sqrt() * chunk + (1 - after).sqrt() * noise
        return sample


EXPERTS = {"regression": Regression, "diffusion": Diffusion, "no_sensor": NoSensor}


def groups(module, rate):
    split = {True: [], False: []}
    for name, parameter in module.named_parameters():
        split[parameter.ndim > 1 and not name.endswith(".bias")].append(parameter)
    return [
        {"params": split[True], "lr": rate, "weight_decay": 0.01},
        {"params": split[False], "lr": rate, "weight_decay": 0.0},
    ]


def policy_modules(policy):
    """The parts of a policy by the prefixes of their keys, from the configuration that trocar stores."""
    sensor, action = policy["sensorEncoder"], policy["actionExpert"]
    c = {
        "vl_dim": action["visionDim"], "sensor_dim": action["sensorDim"], "action_dim": action["actionDim"],
        "horizon": action["horizon"], "hidden_dim": action["hiddenDim"], "nhead": action["heads"],
        "num_layers": action["layers"], "timesteps": action["timesteps"], "fusion_strategy": policy["fusion"],
    }
    parts = {}
    if sensor is not None:
        c |= {
            "C": sensor["inputChannels"], "T": sensor["temporalLength"], "W": sensor["hiddenDim"],
            "SD": sensor["outputDim"], "conv": sensor["convLayers"], "tower_heads": sensor["heads"],
            "tower_layers": sensor["transformerLayers"], "interpolation_mode": sensor["interpolation"],
        }
        parts["sensor_encoder."] = SensorEncoder(c)
    parts["action_expert."] = EXPERTS[policy["family"].replace("-", "_")](c)
    return parts
