"""Writes npy.json: files of NumPy's own making, and what NumPy reads from them.

Run with NumPy 2.4 on a little-endian machine: python3 make_npy.py
"""

import base64
import hashlib
import io
import json
import warnings
import zipfile
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")  # format 2.0 and 3.0 need newer readers: meant here
rng = np.random.default_rng(4)
NUMBERS = "?|i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".replace("|", " ").split()
OTHERS = ["U4", "S5", "M8[ns]", "M8[D]", "m8[25s]", "M8"]
SHAPES = [(), (0,), (1,), (5,), (0, 3), (3, 0), (1, 1, 1), (4, 1, 3), (2, 2, 2, 2), (1, 6)]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def values(shape, dtype):
    """Any bits at all, so NaNs with payloads, infinities and subnormal numbers too."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=int))
    if dtype.kind == "b":
        return rng.integers(0, 2, count).astype(bool).reshape(shape).astype(dtype)
    if dtype.kind == "U":
        letters = np.array(list("az09 äß€日本\U0001f600\0"))
        words = ["".join(rng.choice(letters, rng.integers(0, 5))) for _ in range(count)]
        return np.array(words, dtype=dtype).reshape(shape)
    if dtype.kind == "S":
        words = [rng.bytes(rng.integers(0, 6)) for _ in range(count)]
        return np.array(words, dtype=dtype).reshape(shape)
    if dtype.kind == "M" and np.datetime_data(dtype)[0] == "generic":
        return np.full(shape, "NaT", dtype)
    return np.frombuffer(rng.bytes(count * dtype.itemsize), dtype).reshape(shape)


def content(array):
    """dtype, shape and elements: texts, or the bytes in C order and little-endian."""
    shape = list(array.shape)
    if array.dtype.names:
        columns = [[name, content(array[name])] for name in array.dtype.names]
        return {"dtype": "structured", "shape": shape, "columns": columns}
    kind, flat = array.dtype.kind, array.ravel(order="C")
    if kind == "U":
        width = array.dtype.itemsize // 4
        return {"dtype": f"U{width}", "shape": shape, "texts": flat.tolist()}
    if kind == "S":
        texts = [word.decode("latin1") for word in flat.tolist()]
        return {"dtype": f"S{array.dtype.itemsize}", "shape": shape, "texts": texts}
    little = flat.astype(array.dtype.newbyteorder("<"))
    return {"dtype": array.dtype.name, "shape": shape, "bytes": text(little.tobytes())}


def saved(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=True)
    return file.getvalue()


cases = []


def case(name, array, data=None, same=None):
    """`same`: whether the writer under test should give the same bytes."""
    plain = array.flags.c_contiguous and array.dtype.newbyteorder("<") == array.dtype
    data = saved(array) if data is None else data
    read = np.load(io.BytesIO(data), allow_pickle=False)
    assert content(read) == content(array), name
    same = plain if same is None else same
    cases.append({"name": name, "file": text(data), "same": same, **content(array)})


for dtype in NUMBERS + OTHERS:
    case(f"{dtype} (2, 3)", values((2, 3), dtype))
    case(f"{dtype} (3, 4, 2) Fortran", np.asfortranarray(values((3, 4, 2), dtype)))
    if np.dtype(dtype).newbyteorder(">") != np.dtype(dtype):
        big = np.dtype(dtype).newbyteorder(">")
        case(f">{dtype} (5,)", values((5,), big))
        case(f">{dtype} (5, 3) Fortran", np.asfortranarray(values((5, 3), big)))
for shape in SHAPES:
    case(f"f4 {shape}", values(shape, "f4"))
case("f8 (5, 1) Fortran", np.asfortranarray(values((5, 1), "f8")))
case("u2 (65, 67) Fortran", np.asfortranarray(values((65, 67), "u2")))
for version in [(1, 0), (2, 0), (3, 0)]:
    array = values((2, 3), "f8")
    case(f"version {version}", array, saved(array, version), same=version == (1, 0))

# Headers that other programs and older versions write.
array = np.arange(6.0).reshape(2, 3)
for name, header in {
    "not aligned": "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
    "other order of keys, no last commas": "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f8'}\n",
    "double quotes and lines": '{"descr":\n"<f8",\n\t"fortran_order":False,"shape":(2,3,)}',
    "Python 2": "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 3L), }  \n",
}.items():
    prefix = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    case(name, array, prefix + header.encode() + array.tobytes(), same=False)
for code in ["<u1", ">i1", "<b1"]:
    header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': (2,), }}"
    prefix = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    one = np.array([1, 0], code)
    case(f"byte order of {code}", one, prefix + header.encode() + one.tobytes(), same=False)

record = np.dtype([("time", "<f8"), ("pose", "<f4", (2, 3)), ("it's", "U3"), ('"', "?"), ("\\\n", "i1")])
table = np.zeros((2, 2), record)
for name in record.names:
    table[name] = values(table[name].shape, table[name].dtype)
case("structured", table)
case("structured, Fortran", np.asfortranarray(np.concatenate([table, table, table])))
mixed = np.zeros(3, [("a", ">i4"), ("b", "<i4"), ("c", ">U2"), ("d", ">c16"), ("e", "M8[ms]")])
for name in mixed.dtype.names:
    mixed[name] = values((3,), mixed.dtype[name])
case("structured, both byte orders", mixed, same=False)
aligned = np.zeros(3, np.dtype([("a", "i1"), ("b", "f8"), ("c", "i2")], align=True))
aligned["b"] = [1, 2, 3]
aligned["c"] = 7
case("structured, with gaps", aligned, same=False)
case("structured, latin1 names", np.ones(2, [("é", "f4"), ("ÿ", "i2")]))
case("structured, other names", np.ones(2, [("日本", "f4"), ("é", "i2")]))

wide = np.arange(4000, dtype="f4").view([(f"column {i}", "f4") for i in range(4000)])
refused = {
    "object": saved(np.array([1, "a", None], dtype=object)),
    "object field": saved(np.zeros(2, [("a", "f4"), ("b", "O")])),
    "void": saved(np.zeros(2, "V3")),
    "long double": saved(np.zeros(2, "g")),
    "nested": saved(np.zeros(2, [("a", [("b", "f4")])])),
}

arrays = {
    "time": np.arange(7) / 8,
    "pose": np.arange(42, dtype="f4").reshape(7, 6),
    "größe": np.array(["x", "yz"]),
    "single": np.int16(-3),
    "empty": np.zeros((0, 4), "i4"),
    "fortran": np.asfortranarray(np.arange(600, dtype=">i8").reshape(20, 30)),
}


def archive(write):
    file = io.BytesIO()
    write(file)
    return text(file.getvalue())


def loose(file):
    """Members without .npy, as other programs write them; a comment, and bytes before it all."""
    file.write(b"#!/bin/sh\n")
    with zipfile.ZipFile(file, "a") as z:
        z.comment = b"made elsewhere"
        z.writestr("bare", saved(np.arange(3)), zipfile.ZIP_DEFLATED)
        z.writestr("folder/inner.npy", saved(np.arange(4)))
    file.seek(0, 2)


c_ordered = {name: np.ascontiguousarray(array).astype(np.asarray(array).dtype.newbyteorder("<"))
             .reshape(np.shape(array)) for name, array in arrays.items()}
archives = {
    "savez": archive(lambda file: np.savez(file, **arrays)),
    "savez in C order": archive(lambda file: np.savez(file, **c_ordered)),
    "savez_compressed": archive(lambda file: np.savez_compressed(file, **arrays)),
    "none": archive(lambda file: np.savez(file)),
    "loose": archive(loose),
}
# What 2 GB and 65,536 members look like, at 300 bytes and 2 members.
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 300, 2
archives["zip64"] = archive(lambda file: np.savez(file, **c_ordered))

result = {
    "numpy": np.__version__,
    "cases": cases,
    "wide": {"fields": 4000, "sha256": hashlib.sha256(saved(wide)).hexdigest()},
    "refused": {name: text(data) for name, data in refused.items()},
    "arrays": {name: content(np.asarray(array)) for name, array in arrays.items()},
    "archives": archives,
}
with open(Path(__file__).parent / "npy.json", "w", encoding="utf-8") as file:
    json.dump(result, file, ensure_ascii=False, indent=2)
    file.write("\n")
