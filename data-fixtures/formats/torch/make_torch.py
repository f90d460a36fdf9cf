"""Records checkpoints of PyTorch for the tests of lib/formats/torch_checkpoint*.ts.

Run it in this folder, with PyTorch 2.13:

    python make_torch.py            writes *.pt and expected.json
    python make_torch.py check DIR  loads each *.pt in DIR with weights_only=True and compares it with
                                    the one of the same name here: types, values, strides, offsets,
                                    shared storages, gradients and every bit

expected.json holds for each tensor of each file its path, dtype, shape, strides, offset, storage and
the bytes of its elements in C order.
"""

import collections
import json
import math
import os
import struct
import sys
import zipfile

import torch
from torch import nn

NAMES = ["state_dict", "views", "dtypes", "optimizer", "stage1", "values"]


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(3, 4, 5, stride=2, padding=2)
        self.bn1 = nn.BatchNorm1d(4)
        self.proj = nn.Linear(4, 2)

    def forward(self, x):
        return self.proj(torch.relu(self.bn1(self.conv1(x))).mean(-1))


def trained():
    torch.manual_seed(7)
    model = Encoder()
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decay, "lr": 1e-4, "weight_decay": 0.01},
              {"params": rest, "lr": 1.0, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(6, 3, 12)).square().mean().backward()
        optimizer.step()
        scheduler.step()
    return model, optimizer, scheduler


def views():
    torch.manual_seed(1)
    base = torch.randn(4, 6)
    long = torch.arange(24)
    return {
        "base": base,
        "transposed": base.t(),
        "sliced": base[1:3, 2:5],
        "stepped": base[::2, 1::3],
        "row": base[2],
        "scalar": base[3, 5],
        "expanded": torch.tensor([1.5, -2.0]).reshape(2, 1).expand(2, 3),
        "one_repeated": torch.tensor(7, dtype=torch.int64).expand(2, 2),
        "permuted": long.reshape(2, 3, 4).permute(2, 0, 1),
        "permuted_half": torch.randn(2, 3, 4).half().permute(1, 2, 0),
        "channels_last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "empty": torch.zeros(0, 3),
        "empty_beyond": torch.zeros(3, 0)[2:],
        "bool_view": torch.tensor([[True, False], [False, True]]).t(),
        "complex_view": torch.randn(3, 2, dtype=torch.complex64).t(),
        "double_view": torch.randn(3, 2, dtype=torch.float64).t(),
        "tied": [base, base],
    }


def dtypes():
    torch.manual_seed(2)
    made = {}
    for name in ["float32", "float64", "float16", "bfloat16", "complex64", "complex128",
                 "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"]:
        made[name] = (torch.randn(2, 3) * 3).to(getattr(torch, name))
    for name in ["int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64"]:
        info = torch.iinfo(getattr(torch, name))
        made[name] = torch.tensor([info.min, 1, info.max], dtype=getattr(torch, name))
    made["bool"] = torch.tensor([True, False, True])
    made["special"] = torch.tensor([math.nan, math.inf, -math.inf, -0.0, 1e-45])
    bits = torch.tensor([0x7fc0, 0x7f81, -1, -32768, 1], dtype=torch.int16)
    made["special_bfloat16"] = bits.view(torch.bfloat16)
    made["parameter"] = nn.Parameter(torch.randn(2))
    made["frozen"] = nn.Parameter(torch.randn(2), requires_grad=False)
    made["buffer"] = torch.randn(2, requires_grad=True)
    return made


def values():
    return {
        "none": None, "true": True, "false": False, "ints": [0, -1, 255, 256, 65536, -2**31, 2**31],
        "longs": [2**53, -2**63, 2**64, -2**200], "floats": [0.0, -0.0, 1.0, 0.1, 1e300, math.inf],
        "texts": ["", "\u00e9\U0001f600", "x" * 300, "line\n"], "tuple": (1, (2, 3), [4]), "empty": {},
        "keys": {1: "int", "1": "str", 2.5: "float", None: "none", (1, 2): "tuple"},
        "size": torch.Size([2, 3]), "device": torch.device("cuda", 1), "cpu": torch.device("cpu"),
        "dtype": torch.bfloat16, "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "set": {1, 2}, "bytes": b"\x00\xff",
    }


def files():
    model, optimizer, scheduler = trained()
    return {
        "state_dict": model.state_dict(),
        "views": views(),
        "dtypes": dtypes(),
        "optimizer": optimizer.state_dict(),
        "stage1": {
            "epoch": 3, "global_step": 1234, "model_state_dict": model.state_dict(),
            "optimizer_state_dict": optimizer.state_dict(),
            "scheduler_state_dict": scheduler.state_dict(), "val_loss": 0.125,
            "training_stage": "stage1",
        },
        "values": values(),
    }


def tensors(value, path=()):
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from tensors(child, (*path, key))
    elif isinstance(value, (list, tuple)):
        for i, child in enumerate(value):
            yield from tensors(child, (*path, i))


def raw(tensor):
    return tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes().hex()


def describe(value):
    storages = {}
    described = []
    for path, tensor in tensors(value):
        storage = tensor.untyped_storage()
        number = storages.setdefault(storage._cdata, len(storages))
        described.append({
            "path": path, "dtype": str(tensor.dtype)[6:], "shape": list(tensor.shape),
            "strides": list(tensor.stride()), "offset": tensor.storage_offset(),
            "storage": number, "storageBytes": storage.nbytes(),
            "requiresGrad": tensor.requires_grad, "isParameter": isinstance(tensor, nn.Parameter),
            "bytes": raw(tensor),
        })
    return described


def same(a, b, place):
    assert type(a) is type(b), (place, type(a), type(b))
    if isinstance(a, torch.Tensor):
        pass
    elif isinstance(a, dict):
        assert list(map(repr, a)) == list(map(repr, b)), (place, list(a), list(b))
        for key in a:
            same(a[key], b[key], (*place, key))
        if isinstance(a, collections.OrderedDict):
            same(vars(a), vars(b), (*place, "attributes"))
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), place
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, (*place, i))
    elif isinstance(a, float):
        assert struct.pack("<d", a) == struct.pack("<d", b), (place, a, b)
    else:
        assert a == b, (place, a, b)


def rewrite(path, target, change):
    """Copies an archive, stored, with the records that `change` returns."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        records = change({name: source.read(name) for name in source.namelist()})
        for name, data in records.items():
            copy.writestr(zipfile.ZipInfo(name), data)


def swapped(records):
    root = next(iter(records)).split("/")[0]
    changed = dict(records)
    changed[f"{root}/byteorder"] = b"big"
    words = {"0": 4, "1": 8, "2": 2, "3": 1, "4": 4}
    for key, size in words.items():
        data = records[f"{root}/data/{key}"]
        changed[f"{root}/data/{key}"] = b"".join(
            data[i:i + size][::-1] for i in range(0, len(data), size))
    return changed


def main():
    expected = {}
    for name, value in files().items():
        torch.save(value, f"{name}.pt")
        expected[name] = describe(value)
    order = {"float": torch.tensor([1.5, -2.0]), "long": torch.tensor([2**40 + 1]),
             "half": torch.tensor([0.5, 3.0]).bfloat16(), "byte": torch.tensor([1, 2]).byte(),
             "complex": torch.tensor([1 + 2j], dtype=torch.complex64)}
    torch.save(order, "little.pt")
    rewrite("little.pt", "big_endian.pt", swapped)
    os.remove("little.pt")
    expected["big_endian"] = describe(order)
    assert describe(torch.load("big_endian.pt", weights_only=True)) == expected["big_endian"]
    small = {"x": torch.arange(3.0)}
    expected["no_crc"] = describe(small)
    torch.serialization.set_crc32_options(False)
    torch.save(small, "no_crc.pt")
    torch.serialization.set_crc32_options(True)
    torch.save(small, "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(nn.Linear(2, 2)).save("torchscript.pt")
    torch.save({"x": torch.zeros(2, dtype=torch.complex64).conj()}, "conjugated.pt")
    torch.save({"x": torch.eye(3).to_sparse()}, "sparse.pt")
    with open("expected.json", "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


def check(folder):
    for name in NAMES:
        ours = torch.load(f"{folder}/{name}.pt", weights_only=True)
        theirs = torch.load(f"{name}.pt", weights_only=True)
        assert describe(ours) == describe(theirs), name
        same(ours, theirs, (name,))
        mapped = torch.load(f"{folder}/{name}.pt", weights_only=True, mmap=True)
        assert describe(mapped) == describe(theirs), name
        assert zipfile.ZipFile(f"{folder}/{name}.pt").testzip() is None
    print(len(NAMES), "files are the same")


if __name__ == "__main__":
    check(sys.argv[2]) if len(sys.argv) > 2 else main()
