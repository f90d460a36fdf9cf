/** The few fields of TensorFlow's `ConfigProto` (`config.proto`) that trocar sets, encoded by hand. */

/** What a TensorFlow context is made with. */
export interface ContextConfig {
  /** Threads inside one op; 0 lets TensorFlow choose. */
  readonly intraOpThreads: number;
  /** Threads across ops; 0 lets TensorFlow choose. */
  readonly interOpThreads: number;
}

function varint(field: number, value: number): number[] {
  const bytes = [field << 3];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

function message(field: number, body: readonly number[]): number[] {
  return [(field << 3) | 2, body.length, ...body];
}

/** Serialises a `ConfigProto`: threads, soft placement, and GPU memory that grows on demand. */
export function encodeConfig(config: ContextConfig): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...varint(2, config.intraOpThreads), // intra_op_parallelism_threads
    ...varint(5, config.interOpThreads), // inter_op_parallelism_threads
    ...message(6, varint(4, 1)), // gpu_options.allow_growth
    ...varint(7, 1), // allow_soft_placement
  ]);
}
