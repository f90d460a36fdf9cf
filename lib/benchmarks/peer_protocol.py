"""How a peer is measured: the child's side of the conversation.

It prints one line of JSON with the versions it found, then answers each line of JSON with one line of
JSON:

    {"do": "prepare", "config": {"subject", ...}} -> {"id", "facts"}
    {"do": "measure", "id", "runs", "milliseconds", "warmUp"?} -> {"times": [milliseconds of one thing, ...]}
    {"do": "release", "id"} -> {}
    {"do": "peakRss"} -> {"bytes"}
"""

import json
import os
import resource
import signal
import sys
import time


def limit_threads():
    """The first argument, a number, for the libraries that are imported from now on."""
    threads = sys.argv[1] if len(sys.argv) > 1 else "1"
    for library in ("OMP", "MKL", "OPENBLAS", "VECLIB_MAXIMUM"):  # read when NumPy is imported
        os.environ[library + "_NUM_THREADS"] = threads
    return threads


def measure(subject, runs, milliseconds, warm_up):
    """Measured runs, after one that does not count, because it finds cold caches."""
    run, repeats = subject["run"], subject["repeats"]
    if warm_up:
        run()
    times, begin = [], time.perf_counter()
    while True:
        start = time.perf_counter()
        run()
        now = time.perf_counter()
        times.append((now - start) * 1000 / repeats)
        if len(times) >= runs or (now - begin) * 1000 >= milliseconds:
            return times


def peak_rss():
    """Peak resident memory of this process, bytes."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def answer(request, subjects, prepare, others):
    what = request["do"]
    if what == "prepare":
        subject = prepare(request["config"])
        subjects.append(subject)
        return {"id": len(subjects) - 1, "facts": subject["facts"]}
    if what == "measure":
        subject = subjects[request["id"]]
        return {"times": measure(subject, request["runs"], request["milliseconds"], request.get("warmUp", True))}
    if what == "release":
        subjects[request["id"]] = None
        return {}
    if what == "peakRss":
        return {"bytes": peak_rss()}
    return others[what](request)


def serve(versions, prepare, others):
    """Answers until standard input ends. `prepare` makes a dict of `run`, `repeats` and `facts`."""
    replies, sys.stdout = sys.stdout, sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def reply(document):
        print(json.dumps(document), file=replies, flush=True)

    reply(versions)
    subjects = []
    for line in sys.stdin:
        try:
            reply(answer(json.loads(line), subjects, prepare, others))
        except Exception as error:
            reply({"error": f"{type(error).__name__}: {error}"})
