/** Joins the processes of a cluster into TensorFlow's collective runtime. */
import { encodeServer } from "../tensorflow/_config_proto.ts";
import { keepTermination } from "../tensorflow/_environment.ts";
import { check, type Library, type Pointer, TensorFlowError } from "../tensorflow/_library.ts";
import { describeProcess } from "./_lost.ts";
import type { ClusterMember } from "./tf_config.ts";

/** How processes are joined. */
export interface ConnectOptions {
  /** Threads inside one op. */
  readonly intraOpThreads: number;
  /** Threads across ops. */
  readonly interOpThreads: number;
  /** Seconds in which all processes must come. */
  readonly timeout: number;
}

/** TensorFlow's own default. */
const HEARTBEAT_MS = 10_000;
const PROBE_MS = 1000;

/**
 * Starts this process's server at its address and waits until all processes have started theirs. The
 * server listens on all interfaces of the machine, as TensorFlow's servers do.
 *
 * @param library The open library.
 * @param context A context that nothing was computed with.
 * @param member The cluster and this process's place.
 * @param options Threads and patience.
 * @throws {Error} Naming the processes that did not come, or the address that is taken.
 */
export async function connect(
  library: Library,
  context: Pointer,
  member: ClusterMember,
  { intraOpThreads, interOpThreads, timeout }: ConnectOptions,
): Promise<void> {
  const { TFE_EnableCollectiveOps: enable } = library.api;
  if (enable === undefined || enable === null) {
    throw new Error(
      `Cannot join ${member.size} processes: this TensorFlow has no TFE_EnableCollectiveOps, current value is ${library.version}; run: deno task setup`,
    );
  }
  expectFree(member);
  const server = encodeServer({
    intraOpThreads,
    interOpThreads,
    addresses: member.addresses,
    tasks: member.tasks,
    rank: member.rank,
    registerMs: Math.ceil(timeout * 1000),
    heartbeatMs: HEARTBEAT_MS,
  });
  const restore = keepTermination();
  await enable(context, server, BigInt(server.length), library.status);
  restore();
  try {
    check(library, "Cannot join processes");
  } catch (error) {
    throw await explain(error, member, timeout);
  }
}

/** TensorFlow says of a port that is taken only that the server could not start. */
function expectFree(member: ClusterMember): void {
  const port = Number(member.addresses[member.rank]!.split(":").at(-1));
  try {
    Deno.listen({ port }).close();
  } catch (error) {
    throw new Error(
      `Cannot join ${member.size} processes: ${
        describeProcess(member, member.rank)
      } cannot listen on port ${port}: ${
        (error as Error).message
      }. Another program has it, or another process has the same task in TF_CONFIG.`,
      { cause: error },
    );
  }
}

async function explain(error: unknown, member: ClusterMember, timeout: number): Promise<unknown> {
  if (!(error instanceof TensorFlowError)) return error;
  const others = [...member.tasks.keys()].filter((rank) => rank !== member.rank);
  const answers = await Promise.all(others.map((rank) => answersAt(member.addresses[rank]!)));
  const missing = others.filter((_, i) => !answers[i]);
  const who = missing.length === 0
    ? `not all were there at the same time (${error.message})`
    : `${missing.map((rank) => describeProcess(member, rank)).join(" and ")} ${
      missing.length === 1 ? "has" : "have"
    } not come`;
  return new Error(
    `Cannot join ${member.size} processes: after ${timeout} s ${who}. ` +
      "Start all of them, with addresses that each can reach; TROCAR_JOIN_SECONDS sets the wait.",
    { cause: error },
  );
}

async function answersAt(address: string): Promise<boolean> {
  const [, hostname, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)!;
  const signal = AbortSignal.timeout(PROBE_MS);
  try {
    (await Deno.connect({ hostname: hostname!, port: Number(port), signal })).close();
    return true;
  } catch {
    return false;
  }
}
