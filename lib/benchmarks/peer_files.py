"""What reading and writing files is measured against: NumPy, pandas and PyTorch, in a process of their own.

Started as `python3 peer_files.py THREADS`; speaks as peer_protocol.py says. Subjects are `csv`, `npz`,
`preprocess` and `loader`. A module is imported by the subject that needs it, so that peak memory is that of
what it uses.
"""

import importlib.util
import warnings
import zlib
from importlib import metadata

import peer_protocol

peer_protocol.limit_threads()


def version(module):
    """Version of a module that is installed, without importing it; None of one that is not."""
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return metadata.version(module)
    except metadata.PackageNotFoundError:
        return "unknown"


def checksum(array):
    return zlib.crc32(array.tobytes())


def read_csv(path, **options):
    """All columns as float64 arrays, by pandas' C engine, which is its default."""
    import pandas as pd

    table = pd.read_csv(path, **options)
    return {name: table[name].to_numpy() for name in table.columns}


def csv(config):
    rows = len(next(iter(read_csv(config["path"]).values())))
    return {"run": lambda: read_csv(config["path"]), "repeats": 1, "facts": {"rows": rows}}


def csv_exactness(config):
    """The numbers with correct rounding, and how many of them pandas reads otherwise by default.

    From pandas 3.1 on the default rounds correctly, and the option is deprecated."""
    warnings.simplefilter("ignore")
    fast = read_csv(config["path"])
    try:
        exact = read_csv(config["path"], float_precision="round_trip")
    except TypeError:
        exact = fast
    facts = {
        "checksums": {name: checksum(column) for name, column in exact.items()},
        "inexactValues": sum(int((fast[name] != exact[name]).sum()) for name in exact),
    }
    return {"run": lambda: None, "repeats": 1, "facts": facts}


def npz(config):
    import numpy as np

    def read():
        with np.load(config["path"]) as archive:
            names = archive.files if config.get("member") is None else [config["member"]]
            return {name: archive[name] for name in names}

    checksums = {name: checksum(array) for name, array in read().items()}
    return {"run": read, "repeats": 1, "facts": {"checksums": checksums}}


def preprocess(config):
    import preprocess_peer

    run = preprocess_peer.part(config)
    found = run()
    facts = {"actions": len(found["action"]), "checksum": checksum(found["action"])}
    if "image" in found:
        facts["images"] = sum(len(paths) for paths in found["image"].values())
    return {"run": run, "repeats": 1, "facts": facts}


def loader(config):
    import loader_peer

    return loader_peer.loader(config)


SUBJECTS = {
    "csv": csv,
    "csv exactness": csv_exactness,
    "npz": npz,
    "preprocess": preprocess,
    "loader": loader,
}


def prepare(config):
    return SUBJECTS[config["subject"]](config)


if __name__ == "__main__":
    versions = {name: version(name) for name in ("numpy", "pandas", "torch")}
    peer_protocol.serve(versions, prepare, {})
