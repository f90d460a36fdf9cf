/** Places from what schedulers tell the processes that they start. */
import type { Place } from "./place.ts";

/** Who started this process. */
export type Scheduler = "mpi" | "slurm" | "kubernetes";

/** What a scheduler does not tell. */
export interface SchedulerOptions {
  /** Machines in the order of the ranks; default: what the scheduler says, else this machine. */
  readonly hosts?: readonly string[];
  /** Port of the first process of each machine; the next ones follow. */
  readonly port: number;
  /** Kubernetes: processes of the Job. */
  readonly processes?: number;
  /** Kubernetes: the headless Service by which the pods find each other. */
  readonly service?: string;
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The place that a scheduler gave to this process.
 *
 * `mpi` is Open MPI or MPICH; `slurm` a step of `srun`; `kubernetes` a pod of an Indexed Job.
 *
 * @param scheduler Who started this process.
 * @param options What it does not tell.
 * @param environment The variables of this process.
 * @returns The place.
 * @throws {Error} Naming the variable or the flag that is missing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { placeFromScheduler } from "./scheduler.ts";
 *
 * const place = placeFromScheduler("slurm", { port: 2222 }, {
 *   SLURM_PROCID: "2",
 *   SLURM_LOCALID: "0",
 *   SLURM_JOB_NODELIST: "node[08-09]",
 *   SLURM_TASKS_PER_NODE: "2(x2)",
 * });
 * assert.deepEqual(place.addresses, ["node08:2222", "node08:2223", "node09:2222", "node09:2223"]);
 * assert.equal(place.rank, 2);
 * ```
 */
export function placeFromScheduler(
  scheduler: Scheduler,
  options: SchedulerOptions,
  environment: Environment,
): Place {
  const found = { mpi: fromMpi, slurm: fromSlurm, kubernetes: fromKubernetes }[scheduler](
    options,
    environment,
  );
  const addresses = found.hosts.flatMap((host, i) =>
    Array.from({ length: found.perHost[i]! }, (_, local) => `${host}:${options.port + local}`)
  );
  if (found.rank >= addresses.length) {
    fail(scheduler, `rank ${found.rank} is one of ${addresses.length}`, found.rank);
  }
  let before = 0;
  let machine = 0;
  while (before + found.perHost[machine]! <= found.rank) before += found.perHost[machine++]!;
  return {
    rank: found.rank,
    localRank: found.rank - before,
    localSize: found.perHost[machine]!,
    addresses,
  };
}

interface Layout {
  readonly rank: number;
  readonly hosts: readonly string[];
  /** Processes on each of the hosts. */
  readonly perHost: readonly number[];
}

function fromMpi({ hosts = ["127.0.0.1"] }: SchedulerOptions, environment: Environment): Layout {
  const read = (...names: string[]) => whole("mpi", environment, names);
  const size = read("OMPI_COMM_WORLD_SIZE", "PMI_SIZE");
  const rank = read("OMPI_COMM_WORLD_RANK", "PMI_RANK");
  const each = read("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS");
  if (hosts.length * each !== size) {
    fail(
      "mpi",
      `${size} processes, ${each} on each machine, need ${size / each} machines in --hosts`,
      hosts.join(),
    );
  }
  return { rank, hosts, perHost: hosts.map(() => each) };
}

function fromSlurm({ hosts }: SchedulerOptions, environment: Environment): Layout {
  const text = (...names: string[]) => present("slurm", environment, names);
  const names = hosts ?? expandHosts(text("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"));
  const tasks = text("SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE");
  const perHost = tasks.split(",").flatMap((part) => {
    const [, count, times] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ??
      fail("slurm", "SLURM_TASKS_PER_NODE is like 2(x3),1", tasks);
    return Array.from({ length: Number(times ?? 1) }, () => Number(count));
  });
  if (perHost.length !== names.length) {
    fail("slurm", `${perHost.length} machines have a name each`, names.join());
  }
  return { rank: whole("slurm", environment, ["SLURM_PROCID"]), hosts: names, perHost };
}

function fromKubernetes(
  { hosts, processes, service }: SchedulerOptions,
  environment: Environment,
): Layout {
  const rank = whole("kubernetes", environment, ["JOB_COMPLETION_INDEX"]);
  const names = hosts ?? podNames(rank, processes, service, environment);
  return { rank, hosts: names, perHost: names.map(() => 1) };
}

function podNames(
  rank: number,
  processes: number | undefined,
  service: string | undefined,
  environment: Environment,
): string[] {
  if (processes === undefined) fail("kubernetes", "--processes is the Job's completions", "none");
  if (service === undefined) {
    fail("kubernetes", "--service is the pods' headless Service (spec.subdomain)", "none");
  }
  const own = present("kubernetes", environment, ["HOSTNAME"]);
  const suffix = `-${rank}`;
  if (!own.endsWith(suffix)) {
    fail("kubernetes", `HOSTNAME of an Indexed Job's pod ends with ${suffix}`, own);
  }
  const job = own.slice(0, -suffix.length);
  return Array.from({ length: processes }, (_, i) => `${job}-${i}.${service}`);
}

/**
 * Machines of a list in Slurm's short form.
 *
 * @param text Such as `gpu[01-03,07],login`.
 * @returns Their names.
 * @throws {Error} If a bracket is not closed or a range runs backwards.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { expandHosts } from "./scheduler.ts";
 *
 * assert.deepEqual(expandHosts("gpu[01-03,07],login"), ["gpu01", "gpu02", "gpu03", "gpu07", "login"]);
 * ```
 */
export function expandHosts(text: string): string[] {
  const names = [...text.matchAll(/(?:[^,[\]]|\[[^[\]]*\])+/g)].map(([name]) => name);
  if (names.join() !== text) fail("slurm", "the list of nodes is like gpu[01-03,07],login", text);
  return names.flatMap(expandName);
}

function expandName(name: string): string[] {
  const [, before, ranges, after] = /^([^[]*)\[([^\]]*)\](.*)$/.exec(name) ?? [];
  if (ranges === undefined) return [name];
  const middles = ranges.split(",").flatMap((range) => {
    const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(range) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (first === undefined || count < 1 || count > 100_000) {
      fail("slurm", "a range of nodes is like 01-03", range);
    }
    return Array.from(
      { length: count },
      (_, i) => String(Number(first) + i).padStart(first.length, "0"),
    );
  });
  return middles.flatMap((middle) => expandName(`${before}${middle}${after}`));
}

function present(scheduler: Scheduler, environment: Environment, names: string[]): string {
  for (const name of names) {
    const text = environment[name];
    if (text !== undefined && text !== "") return text;
  }
  return fail(scheduler, `${names.join(" or ")} is set: is this started by it?`, "nothing");
}

function whole(scheduler: Scheduler, environment: Environment, names: string[]): number {
  const text = present(scheduler, environment, names);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  return fail(scheduler, `${names.join(" or ")} is a number from 0`, text);
}

function fail(scheduler: Scheduler, expected: string, found: unknown): never {
  throw new Error(
    `Cannot launch from ${scheduler}: expected that ${expected}, current value is ${found}.`,
  );
}
