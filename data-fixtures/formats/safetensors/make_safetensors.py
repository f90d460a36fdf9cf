"""Records safetensors files of Hugging Face's library for the tests of lib/formats/safetensors*.ts.

Run it in this folder, with safetensors 0.8 and PyTorch 2.13:

    python make_safetensors.py          writes all.safetensors, empty.safetensors, expected.json
    python make_safetensors.py check F  loads F and compares it with all.safetensors, bit for bit

expected.json holds for each tensor its elements' bytes, and for float32 values the bfloat16 that
PyTorch rounds them to.
"""

import json
import struct
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

DTYPES = ["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
          "float16", "bfloat16", "float32", "float64", "complex64", "float8_e4m3fn",
          "float8_e5m2", "float8_e8m0fnu"]


def tensors():
    generator = torch.Generator().manual_seed(7)
    made = {}
    for name in DTYPES:
        dtype = getattr(torch, name)
        if name == "bool":
            made[name] = torch.rand(3, 5, generator=generator) > 0.5
        elif dtype.is_floating_point or dtype.is_complex:
            made[name] = (torch.randn(2, 3, generator=generator) * 3).to(dtype)
        else:
            info = torch.iinfo(dtype)
            made[name] = torch.tensor([info.min, -1 if info.min else 1, 0, info.max], dtype=dtype)
    made["scalar"] = torch.tensor(12345678901234, dtype=torch.int64)
    made["no_rows"] = torch.zeros(0, 4)
    made["no_columns"] = torch.zeros(3, 0, dtype=torch.uint8)
    made["a.b/c \"quoted\"\n"] = torch.arange(3, dtype=torch.float32)
    made["\U0001f600"] = torch.ones(1)
    made["\uffee"] = torch.ones(1)
    made["10"] = torch.ones(2)
    made["9"] = torch.ones(2)
    return made


def raw(tensor):
    return tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes().hex()


def main():
    made = tensors()
    save_file(made, "all.safetensors", {"program": "regression \u00fc\n\"x\""})
    save_file({}, "empty.safetensors")
    words = [0x00000000, 0x80000000, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x7f7fffff,
             0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc12345, 0x00000001,
             0x00008000, 0x00018000, 0x807fffff, 0x0000ffff, 0x42280000, 0xc0490fdb]
    floats = [struct.unpack("<f", struct.pack("<I", word))[0] for word in words]
    bits = torch.tensor(floats).to(torch.bfloat16).view(torch.int16).tolist()
    bits = [word & 0xffff for word in bits]
    expected = {
        "tensors": {name: {"dtype": str(t.dtype)[6:], "shape": list(t.shape), "bytes": raw(t)}
                    for name, t in made.items()},
        "bfloat16": {"float32": words, "bits": bits},
    }
    with open("expected.json", "w") as file:
        json.dump(expected, file, indent=1)


def check(path):
    with safe_open(path, "pt") as ours, safe_open("all.safetensors", "pt") as theirs:
        assert ours.metadata() == theirs.metadata(), ours.metadata()
    ours, theirs = load_file(path), load_file("all.safetensors")
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype and ours[name].shape == tensor.shape, name
        assert raw(ours[name]) == raw(tensor), name
    print(len(theirs), "tensors are the same")


if __name__ == "__main__":
    check(sys.argv[2]) if len(sys.argv) > 2 else main()
