"""What reading and writing files is measured against: NumPy and pandas, in a process of their own.

Started as `python3 peer_files.py THREADS`; speaks as peer_protocol.py says. Subjects are `csv`, `npz`
and `preprocess`. A module is imported by the subject that needs it, so that peak memory is that of
what it uses.
"""

import importlib.util
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


def read_csv(path, precision):
    """All columns as float64 arrays. pandas' C engine; `precision` None is its default."""
    import pandas as pd

    table = pd.read_csv(path, float_precision=precision)
    return {name: table[name].to_numpy() for name in table.columns}


def csv(config):
    path, precision = config["path"], config["precision"]
    columns = read_csv(path, precision)
    facts = {"rows": len(next(iter(columns.values())))}
    facts["checksums"] = {name: checksum(column) for name, column in columns.items()}
    return {"run": lambda: read_csv(path, precision), "repeats": 1, "facts": facts}


def csv_exactness(config):
    """How many numbers pandas reads otherwise by default than when told to round correctly."""
    fast, exact = (read_csv(config["path"], precision) for precision in (None, "round_trip"))
    count = sum(int((fast[name] != exact[name]).sum()) for name in exact)
    return {"run": lambda: None, "repeats": 1, "facts": {"inexactValues": count}}


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


SUBJECTS = {
    "csv": csv,
    "csv exactness": csv_exactness,
    "npz": npz,
    "preprocess": preprocess,
}


def prepare(config):
    return SUBJECTS[config["subject"]](config)


if __name__ == "__main__":
    versions = {name: version(name) for name in ("numpy", "pandas")}
    peer_protocol.serve(versions, prepare, {})
