/** The few fields of TensorFlow's `ConfigProto` (`config.proto`) that trocar sets, encoded by hand. */

/** What a TensorFlow context is made with. */
export interface ContextConfig {
  /** Threads inside one op; 0 lets TensorFlow choose. */
  readonly intraOpThreads: number;
  /** Threads across ops; 0 lets TensorFlow choose. */
  readonly interOpThreads: number;
}

/** The processes that a context computes with (`coordination_config.proto`, `tensorflow_server.proto`). */
export interface ServerConfig extends ContextConfig {
  /** `host:port` of each process, by rank. */
  readonly addresses: readonly string[];
  /** Job and index of each process, by rank. */
  readonly tasks: readonly { readonly type: string; readonly index: number }[];
  /** Which of them this process is. */
  readonly rank: number;
  /** Milliseconds in which all processes must come. */
  readonly registerMs: number;
  /** Milliseconds without a sign of life after which a process counts as dead. */
  readonly heartbeatMs: number;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function number(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)];
}

function message(field: number, body: Iterable<number>): number[] {
  const bytes = [...body];
  return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
}

const text = (field: number, value: string) => message(field, new TextEncoder().encode(value));

/**
 * Serialises a `ConfigProto`: threads, soft placement, and GPU memory that grows on demand.
 *
 * @param config Threads.
 * @param experimental Fields of `ConfigProto.Experimental`.
 */
export function encodeConfig(
  config: ContextConfig,
  experimental: readonly number[] = [],
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...number(2, config.intraOpThreads), // intra_op_parallelism_threads
    ...number(5, config.interOpThreads), // inter_op_parallelism_threads
    ...message(6, number(4, 1)), // gpu_options.allow_growth
    ...number(7, 1), // allow_soft_placement
    ...(experimental.length === 0 ? [] : message(16, experimental)),
  ]);
}

/** Bytes of a piece in which gradients travel; TensorFlow's default is 4096. */
const CHUNK = 1 << 20;

/**
 * Serialises a `ServerDef` for collective ops between processes: TensorFlow's coordination service on
 * the first of them waits until all have come and notices when one is gone.
 */
export function encodeServer(config: ServerConfig): Uint8Array<ArrayBuffer> {
  const { addresses, tasks, rank, registerMs, heartbeatMs } = config;
  const jobs = Map.groupBy(tasks.keys(), (i) => tasks[i]!.type);
  const leader = `/job:${tasks[0]!.type}/replica:0/task:${tasks[0]!.index}`;
  const session = encodeConfig(config, [
    ...text(1, leader), // collective_group_leader
    ...number(4, CHUNK), // recv_buf_max_chunk
    ...number(7, 1), // collective_nccl
    ...message(23, [ // coordination_config
      ...text(1, "standalone"), // service_type
      ...text(2, leader), // service_leader
      ...number(4, registerMs), // cluster_register_timeout_in_ms
      ...number(5, heartbeatMs), // heartbeat_timeout_in_ms
      ...number(14, 1), // cluster_register_with_barrier
    ]),
  ]);
  const cluster = [...jobs].flatMap(([type, ranks]) =>
    message(1, [
      ...text(1, type), // job.name
      ...ranks.flatMap((i) => message(2, [...number(1, tasks[i]!.index), ...text(2, addresses[i]!)]) // job.tasks
      ),
    ])
  );
  return Uint8Array.from([
    ...message(1, cluster),
    ...text(2, tasks[rank]!.type), // job_name
    ...number(3, tasks[rank]!.index), // task_index
    ...message(4, session), // default_session_config
    ...text(5, "grpc"), // protocol
  ]);
}
