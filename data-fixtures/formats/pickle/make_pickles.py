"""Records pickles of Python, NumPy and PyTorch for the tests of lib/formats/pickle*.ts.

Run it twice, in this folder, with Python 3.11:

    python make_pickles.py      with NumPy 1.26: data_numpy1.pkl, arrays_numpy1_p*.pkl
    python make_pickles.py      with NumPy 2.4 and PyTorch 2.13: everything else

The second run also proves the direction from us to Python: it loads data_numpy1.pkl, which a test
shows to be what writeDataPkl writes, byte for byte, with warnings as errors.
"""

import array
import collections
import hashlib
import io
import json
import pickle
import struct
import warnings
import zipfile

import numpy as np

MAJOR = int(np.__version__.split(".")[0])


def save(name, value, protocol=4):
    with open(name, "wb") as file:
        pickle.dump(value, file, protocol=protocol)


def data_pkl(rows, sensor):
    generator = np.random.Generator(np.random.PCG64(7))
    views = ["View1_left", "View1_right", "View5"]
    return {
        "action": generator.normal(size=(rows, 7)).astype(np.float32),
        "image": {
            view: [f"/data/recv_all_1/{view.replace('_', '/')}/{k / 30:.3f}.jpg" for k in range(4)]
            for view in views
        },
        "sensor_data": {
            "force": generator.normal(size=(rows, 1)).astype(np.float32),
            "fpi": generator.normal(size=(rows, 1025)).astype(np.float32),
        } if sensor else None,
        "instruction": "Perform needle insertion task.",
        "metadata": {
            "episode_name": "recv_all_1",
            "robot_hz": np.float64(99.5),
            "action_hz": 10.0,
            "num_actions": rows,
            "num_robot_states": 31,
            "duration_seconds": np.float64(0.3),
            "has_sensor": sensor,
        },
    }


NAMES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
         "float16", "float32", "float64", "complex64", "complex128"]


def arrays():
    result = {}
    for name in NAMES:
        dtype = np.dtype(name)
        numbers = np.arange(6) - (0 if dtype.kind in "ub" else 3)
        numbers = (numbers * (1.25 - 0.5j) if dtype.kind == "c" else
                   numbers * 1.25 if dtype.kind == "f" else numbers)
        if dtype.kind == "b":
            numbers = numbers % 2
        little = numbers.astype(dtype).reshape(2, 3)
        if dtype.itemsize == 8 and dtype.kind in "iu":
            little[0, 0] = np.iinfo(dtype).max
        result[name] = little
        result[f"{name} big-endian"] = little.astype(dtype.newbyteorder(">"))
        result[f"{name} Fortran"] = np.asfortranarray(little)
        result[f"{name} big-endian Fortran"] = np.asfortranarray(
            little.astype(dtype.newbyteorder(">")))
        result[f"{name} scalar"] = little[1, 2]
        result[f"{name} 0-d"] = np.array(little[1, 1])
    cube = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    result["transposed"] = cube.transpose(1, 0, 2)
    result["rotated"] = cube.transpose(2, 0, 1)
    result["sliced"] = cube[:, ::2, 1:3]
    result["empty"] = np.zeros((0, 3), np.float32)
    result["texts"] = np.array(["in", "out ä", "😀"])
    result["texts big-endian"] = np.array(["in", "out"]).astype(">U3")
    result["text scalar"] = np.str_("needle")
    result["byte texts"] = np.array([b"in", b"\xff"])
    return result


def describe(value):
    """Shape and elements as texts that JSON keeps exactly; complex numbers as pairs."""
    flat = np.asarray(value).ravel(order="C").tolist()
    if np.asarray(value).dtype.kind == "c":
        flat = [part for number in flat for part in (number.real, number.imag)]
    flat = [item.decode("latin1") if isinstance(item, bytes) else item for item in flat]
    dtype = np.asarray(value).dtype
    name = f"U{dtype.itemsize // 4}" if dtype.kind == "U" else \
        f"S{dtype.itemsize}" if dtype.kind == "S" else dtype.name
    return {"dtype": name, "shape": list(np.shape(value)), "scalar": isinstance(value, np.generic),
            "values": [item if isinstance(item, str) else repr(item) for item in flat]}


def plain():
    """Values whose bytes at protocol 4 our writer reproduces."""
    shared = [1, 2]
    own = ["own"]
    own.append(own)
    held = []
    looped = (held, "looped")
    held.append(looped)
    return {
        "none": None,
        "bools": [True, False],
        "ints": [0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2**31 - 1, 2**31, -2**31,
                 -2**31 - 1, 2**47 - 1, 2**47, -2**47, -2**47 - 1, 2**53 - 1, 2**53, -2**53,
                 -2**60, 2**63, 2**64 - 1, 2**100, -2**100, 2**2100, -2**2100],
        "floats": [0.1, -0.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan")],
        "whole": [0.0, 2.0],
        "texts": ["", "ä€😀", "back\\slash\nline \\u0041", "file\udcff.jpg", "x" * 300],
        "bytes": [b"", bytes(range(256)), b"y" * 300],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), "nested")],
        "set": {12},
        "empty": [{}, [], set()],
        "one": {"key": [7]},
        "shared": [shared, shared],
        "own": own,
        "looped": looped,
        "batches": list(range(2500)),
        "many": {k: -k for k in range(1001)},
    }


def older():
    """Values for which protocols 0 to 4 call names."""
    return {
        "bytearray": [bytearray(), bytearray(b"ab\xff")],
        "frozenset": frozenset({12}),
        "complex": 1 - 2j,
        "ordered": collections.OrderedDict(a=1, b=[2]),
    }


def large():
    """Values whose pickle is too large to keep: length and SHA-256."""
    values = {
        "many ints": list(range(40000)),
        "large bytes": {"a": b"\x01" * 70000, "b": b"\x02" * 65535, "c": [b"\x03" * 65536]},
        "large text": ["z" * 70000, "z", "ä" * 40000],
        "many texts": [f"/data/{k:06d}.jpg" for k in range(20000)],
    }
    return {name: [len(data := pickle.dumps(value, 4)), hashlib.sha256(data).hexdigest()]
            for name, value in values.items()}


def text4(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def stack_global(module, name):
    return b"\x80\x04" + text4(module) + text4(name) + b"\x93"


def hostile():
    call = text4("touch hacked") + b"\x85R."
    array_state = pickle.dumps(np.zeros(2, np.float32), 3)  # without frames
    raw = struct.pack("<2f", 0, 0)
    assert array_state.count(b"K\x02\x85") == 1
    return {
        "os.system": b"cos\nsystem\n(S'touch hacked'\ntR.",
        "posix.system": stack_global("posix", "system") + call,
        "builtins.eval": stack_global("builtins", "eval") + call,
        "builtins.exec": b"c__builtin__\nexec\n" + call,
        "builtins.getattr": stack_global("builtins", "getattr") + stack_global("os", "system")[2:]
        + text4("__call__") + b"\x86R.",
        "dotted chain": stack_global("collections", "OrderedDict.__init__.__globals__") + b".",
        "numpy chain": stack_global("numpy", "core.multiarray.os.system") + call,
        "numpy loads": stack_global("numpy", "load") + call,
        "copyreg._reconstructor": b"ccopyreg\n_reconstructor\n(cos\n_Environ\nc__builtin__\n"
        b"object\nNtR.",
        "copy_reg": b"ccopy_reg\n_reconstructor\n(tR.",
        "INST": b"(S'touch hacked'\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\nS'touch hacked'\no.",
        "NEWOBJ": stack_global("subprocess", "Popen") + text4("ls") + b"\x85\x81.",
        "NEWOBJ_EX": stack_global("subprocess", "Popen") + b")}\x92.",
        "call of ndarray": stack_global("numpy", "ndarray") + b"K\x03\x85R.",
        "EXT1": b"\x82\x01.",
        "EXT2": b"\x83\x01\x00.",
        "EXT4": b"\x84\x01\x00\x00\x00.",
        "BUILD of dict": b"}}S'__class__'\nNsb.",
        "persistent id": b"Pstorage\n.",
        "out-of-band buffer": b"\x80\x05\x97.",
        "protocol 6": b"\x80\x06N.",
        "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**63) + b"abc.",
        "huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.",
        "huge text": b"\x80\x04X" + struct.pack("<I", 2**32 - 1) + b"abc.",
        "huge long": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",
        "negative long": b"\x80\x02\x8b" + struct.pack("<i", -1) + b"abc.",
        "negative string": b"T" + struct.pack("<i", -2) + b"abc.",
        "huge frame": b"\x80\x04\x95" + struct.pack("<Q", 2**50) + b"N.",
        "huge memo": b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".",
        "huge text memo": b"Np99999999999999999999\n.",
        "long digits": b"L" + b"9" * 5000 + b"L\n.",
        "huge shape": array_state.replace(b"K\x02\x85", b"\x8a\x06" + b"\xff" * 5 + b"\x0f\x85"),
        "negative shape": array_state.replace(b"K\x02\x85", b"J\xfe\xff\xff\xff\x85"),
        "short array": array_state.replace(b"C\x08" + raw, b"C\x04" + raw[:4]),
        "trailing": b"N.N.",
        "two values": b"NN.",
        "open mark": b"(N.",
        "no stop": b"\x80\x04N",
        "empty": b"",
        "no pickle": b"\x93NUMPY\x01\x00",
        "empty stack": b".",
        "list as key": b"}]Ns.",
        "append to dict": b"}Na.",
        "odd dict": b"(Nd.",
        "missing memo": b"h\x05.",
        "broken UTF-8": b"X\x02\x00\x00\x00\xff\xfe.",
        "broken text": b"Vabc\\uZZZZ\n.",
        "broken int": b"I0x10\n.",
        "broken float": b"F1_0\n.",
        "broken string": b"Sabc\n.",
    }


def refused():
    return {
        "object array": np.array([{"a": 1}, None], dtype=object),
        "structured array": np.zeros(2, [("a", "i4"), ("b", "f8")]),
        "datetime array": np.array(["2024-01-01"], "datetime64[D]"),
        "longdouble array": np.zeros(2, np.longdouble),
        "matrix": np.zeros((1, 1)).view(np.matrix),
        "masked array": np.ma.masked_array([1, 2], [0, 1]),
        "object scalar": [np.zeros(1, [("a", "i4")])[0]],
        "dtype class": np.float32,
        "array.array": array.array("f", [1]),
        "range": range(3),
    }


def torch_pickles():
    import torch
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    file = io.BytesIO()
    torch.save({
        "model": model.state_dict(),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "view": torch.arange(12).reshape(3, 4)[1:, ::2],
        "half": torch.zeros(2, dtype=torch.bfloat16),
        "epoch": 3,
        "loss": np.float64(0.25),
        "lr": 1e-4,
    }, file)
    with zipfile.ZipFile(file) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        with open("torch_data.pkl", "wb") as out:
            out.write(archive.read(name))


def check_numpy1():
    warnings.simplefilter("error")
    with open("data_numpy1.pkl", "rb") as file:
        found = pickle.load(file)
    wanted = data_pkl(3, True)
    assert found["action"].dtype == np.float32 and (found["action"] == wanted["action"]).all()
    assert (found["sensor_data"]["fpi"] == wanted["sensor_data"]["fpi"]).all()
    assert found["metadata"] == wanted["metadata"] and found["image"] == wanted["image"]
    assert type(found["metadata"]["robot_hz"]) is np.float64


def dump(name, value):
    with open(name, "w") as file:
        json.dump(value, file, indent=1, ensure_ascii=True)
        file.write("\n")


save(f"data_numpy{MAJOR}.pkl", data_pkl(3, True))
for protocol in [2, 4, 5]:
    save(f"arrays_numpy{MAJOR}_p{protocol}.pkl", arrays(), protocol)
if MAJOR >= 2:
    check_numpy1()
    save("data_no_sensor.pkl", data_pkl(2, False))
    dump("arrays.json", {name: describe(value) for name, value in arrays().items()})
    for protocol in range(6):
        save(f"plain_p{protocol}.pkl", plain(), protocol)
        save(f"older_p{protocol}.pkl", older(), protocol)
    dump("large.json", large())
    dump("hostile.json", {name: data.hex() for name, data in hostile().items()})
    dump("refused.json", {name: pickle.dumps(value, 4).hex() for name, value in refused().items()})
    torch_pickles()
