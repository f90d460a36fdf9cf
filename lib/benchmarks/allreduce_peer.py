"""One process of `bench allreduce`'s peer. Arguments: address of rank 0, rank, processes."""

import json
import sys
import time

import torch
import torch.distributed as dist

address, rank, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"tcp://{address}", rank=rank, world_size=size)


def measure(megabytes, runs):
    x = torch.ones(megabytes * 250_000)
    times = []
    for _ in range(runs + 1):
        dist.barrier()
        start = time.perf_counter()
        dist.all_reduce(x)
        times.append((time.perf_counter() - start) * 1000)
    return times[1:]


for line in sys.stdin:
    print(json.dumps({"times": measure(**json.loads(line))}), flush=True)
