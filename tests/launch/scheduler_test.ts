import assert from "node:assert/strict";
import {
  expandHosts,
  localPlaces,
  placeFromScheduler,
  tfConfig,
  workerEnvironment,
} from "../../lib/launch/mod.ts";
import { parseTfConfig } from "trocar/engine";

const port = 2222;

Deno.test("placeFromScheduler() reads Open MPI and MPICH", () => {
  const open = {
    OMPI_COMM_WORLD_SIZE: "4",
    OMPI_COMM_WORLD_RANK: "3",
    OMPI_COMM_WORLD_LOCAL_SIZE: "2",
  };
  assert.deepEqual(placeFromScheduler("mpi", { port, hosts: ["a", "b"] }, open), {
    rank: 3,
    localRank: 1,
    localSize: 2,
    addresses: ["a:2222", "a:2223", "b:2222", "b:2223"],
  });
  assert.throws(() => placeFromScheduler("mpi", { port }, open), /need 2 machines in --hosts/);
  const mpich = { PMI_SIZE: "2", PMI_RANK: "1", MPI_LOCALNRANKS: "2" };
  assert.deepEqual(placeFromScheduler("mpi", { port }, mpich).addresses, [
    "127.0.0.1:2222",
    "127.0.0.1:2223",
  ]);
  assert.throws(() => placeFromScheduler("mpi", { port }, {}), /OMPI_COMM_WORLD_SIZE or PMI_SIZE/);
});

Deno.test("placeFromScheduler() reads a step of Slurm, machines unequal", () => {
  const environment = {
    SLURM_PROCID: "4",
    SLURM_JOB_NODELIST: "gpu[01-02,07]",
    SLURM_TASKS_PER_NODE: "2(x2),1",
  };
  assert.deepEqual(placeFromScheduler("slurm", { port }, environment), {
    rank: 4,
    localRank: 0,
    localSize: 1,
    addresses: ["gpu01:2222", "gpu01:2223", "gpu02:2222", "gpu02:2223", "gpu07:2222"],
  });
  for (
    const [change, message] of [
      [{ SLURM_PROCID: "5" }, /rank 5 is one of 5/],
      [{ SLURM_PROCID: "" }, /SLURM_PROCID is set/],
      [{ SLURM_TASKS_PER_NODE: "2(x2)" }, /2 machines have a name each/],
      [{ SLURM_TASKS_PER_NODE: "two" }, /2\(x3\),1/],
      [{ SLURM_JOB_NODELIST: "gpu[01-02" }, /list of nodes/],
      [{ SLURM_JOB_NODELIST: "gpu[02-01],a,b" }, /range of nodes/],
    ] as const
  ) {
    assert.throws(
      () => placeFromScheduler("slurm", { port }, { ...environment, ...change }),
      message,
    );
  }
});

Deno.test("placeFromScheduler() reads a pod of an Indexed Job", () => {
  const environment = { JOB_COMPLETION_INDEX: "1", HOSTNAME: "training-1" };
  const options = { port, processes: 3, service: "trocar" };
  assert.deepEqual(placeFromScheduler("kubernetes", options, environment), {
    rank: 1,
    localRank: 0,
    localSize: 1,
    addresses: ["training-0.trocar:2222", "training-1.trocar:2222", "training-2.trocar:2222"],
  });
  assert.throws(
    () => placeFromScheduler("kubernetes", { port, processes: 3 }, environment),
    /--service/,
  );
  assert.throws(
    () => placeFromScheduler("kubernetes", { port, service: "x" }, environment),
    /--proc/,
  );
  assert.throws(
    () => placeFromScheduler("kubernetes", options, { ...environment, HOSTNAME: "laptop" }),
    /ends with -1/,
  );
});

Deno.test("expandHosts() writes out several brackets", () => {
  assert.deepEqual(expandHosts("r[1-2]n[08-09]x,solo"), [
    "r1n08x",
    "r1n09x",
    "r2n08x",
    "r2n09x",
    "solo",
  ]);
  assert.throws(() => expandHosts("a[1-999999999]"), /range of nodes/);
});

Deno.test("localPlaces() and tfConfig() say the same as parseTfConfig() reads", () => {
  const places = localPlaces(3);
  for (const [rank, place] of places.entries()) {
    const member = parseTfConfig(tfConfig(place));
    assert.equal(member?.rank, rank);
    assert.deepEqual(member.addresses, places[0]!.addresses);
  }
  assert.equal(new Set(places[0]!.addresses).size, 3);
});

Deno.test("workerEnvironment() divides the processors and gives each its GPU", () => {
  const places = localPlaces(4);
  const set = (rank: number, cpus: number, gpus: string[], inherited = {}) =>
    workerEnvironment(places[rank]!, { cpus, gpus }, inherited);
  assert.equal(set(0, 2, []).OMP_NUM_THREADS, "1");
  assert.equal(set(0, 18, []).OMP_NUM_THREADS, "4");
  assert.equal(set(0, 18, [], { OMP_NUM_THREADS: "3" }).OMP_NUM_THREADS, undefined);
  assert.equal(set(0, 2, []).CUDA_VISIBLE_DEVICES, undefined);
  assert.deepEqual([0, 1, 2, 3].map((rank) => set(rank, 8, ["4", "5"]).CUDA_VISIBLE_DEVICES), [
    "4",
    "5",
    "4",
    "5",
  ]);
});
