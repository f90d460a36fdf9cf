/** Philox draws as TensorFlow ops, bit for bit those of `_philox.ts`. */
import type * as tf from "@tensorflow/tfjs";
import { ATTR, type Attribute } from "./_attributes.ts";
import type { TensorFlowBackend } from "./_backend.ts";
import { DT } from "./_dtypes.ts";

type Key = readonly [low: number, high: number];

/** A chain of raw ops on tensor ids; intermediate tensors are deleted at the end. */
class Ops {
  readonly #native: TensorFlowBackend;
  readonly #made: number[] = [];

  constructor(native: TensorFlowBackend) {
    this.#native = native;
  }

  run(name: string, types: Record<string, number>, inputs: readonly number[]): number {
    const attributes: Attribute[] = Object.entries(types).map(([attribute, value]) => ({
      name: attribute,
      type: ATTR.type,
      value,
    }));
    const [output] = this.#native.binding.executeOp(name, attributes, inputs, 1);
    this.#made.push(output!.id);
    return output!.id;
  }

  constant(
    dtype: number,
    shape: number[],
    values: Float64Array | Int32Array | BigUint64Array | BigInt64Array | Uint32Array | Float32Array,
  ): number {
    const id = this.#native.binding.createTensor(shape, dtype, values);
    this.#made.push(id);
    return id;
  }

  cast(id: number, from: number, to: number): number {
    return this.run("Cast", { SrcT: from, DstT: to }, [id]);
  }

  binary(op: string, a: number, b: number, dtype: number): number {
    return this.run(op, { T: dtype }, [a, b]);
  }

  unary(op: string, a: number, dtype: number): number {
    return this.run(op, { T: dtype }, [a]);
  }

  /** Joins tensors along an axis. */
  concat(inputs: readonly number[], axis: number, dtype: number): number {
    const [output] = this.#native.binding.executeOp(
      "ConcatV2",
      [
        { name: "N", type: ATTR.int, value: inputs.length },
        { name: "T", type: ATTR.type, value: dtype },
        { name: "Tidx", type: ATTR.type, value: DT.int32 },
      ],
      [...inputs, this.constant(DT.int32, [], Int32Array.of(axis))],
      1,
    );
    this.#made.push(output!.id);
    return output!.id;
  }

  /** Wraps a result, and deletes everything else that was made. */
  finish(result: number, shape: number[], dtype: number): tf.Tensor {
    for (const id of this.#made) {
      if (id !== result && id >= 0) this.#native.binding.deleteTensor(id);
    }
    return this.#native.tensor({ id: result, shape, dtype });
  }
}

/** Raw Philox output: uint32 of shape `[count]`. */
function bits(
  ops: Ops,
  native: TensorFlowBackend,
  count: number,
  key: Key,
  counter: tf.Tensor,
): number {
  const words = ops.constant(
    DT.uint64,
    [1],
    BigUint64Array.of(BigInt(key[0]) | BigInt(key[1]) << 32n),
  );
  const [counterId] = native.ids([counter]);
  const wide = ops.run("Cast", { SrcT: DT.int32, DstT: DT.uint64 }, [counterId!]);
  const one = ops.run("Reshape", { T: DT.uint64, Tshape: DT.int32 }, [
    wide,
    ops.constant(DT.int32, [1], Int32Array.of(1)),
  ]);
  const zero = ops.constant(DT.uint64, [1], BigUint64Array.of(0n));
  // [low, high]: the low word counts blocks within the draw, the high word is the caller's counter.
  const position = ops.concat([zero, one], 0, DT.uint64);
  const shape = ops.constant(DT.int32, [1], Int32Array.of(count));
  const philox = ops.constant(DT.int32, [], Int32Array.of(1));
  return ops.run("StatelessRandomUniformFullIntV2", {
    dtype: DT.uint32,
    Tshape: DT.int32,
  }, [shape, words, position, philox]);
}

function reshape(ops: Ops, id: number, shape: readonly number[], dtype: number): number {
  const dims = ops.constant(DT.int32, [shape.length], Int32Array.from(shape));
  return ops.run("Reshape", { T: dtype, Tshape: DT.int32 }, [id, dims]);
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);

/** `fillUniform` as a graph: (bits ≫ 8) · 2⁻²⁴. */
export function nativeUniform(
  native: TensorFlowBackend,
  shape: number[],
  key: Key,
  counter: tf.Tensor,
): tf.Tensor {
  const ops = new Ops(native);
  const raw = bits(ops, native, sizeOf(shape), key, counter);
  const high = ops.binary(
    "RightShift",
    raw,
    ops.constant(DT.uint32, [], Uint32Array.of(8)),
    DT.uint32,
  );
  // By way of int64, because not every device converts uint32.
  const float = ops.cast(ops.cast(high, DT.uint32, DT.int64), DT.int64, DT.float32);
  const unit = ops.constant(DT.float32, [], Float32Array.of(2 ** -24));
  const scaled = ops.binary("Mul", float, unit, DT.float32);
  return ops.finish(reshape(ops, scaled, shape, DT.float32), shape, DT.float32);
}

/** `fillNormal` as a graph, in float64. */
export function nativeNormal(
  native: TensorFlowBackend,
  shape: number[],
  key: Key,
  counter: tf.Tensor,
): tf.Tensor {
  const ops = new Ops(native);
  const { binding } = native;
  const count = sizeOf(shape);
  const pairs = Math.ceil(count / 2);
  const f64 = (value: number) => ops.constant(DT.float64, [], Float64Array.of(value));
  const raw = bits(ops, native, 2 * pairs, key, counter);
  const wide = ops.cast(ops.cast(raw, DT.uint32, DT.int64), DT.int64, DT.float64);
  const columns = binding.executeOp("Split", [
    { name: "num_split", type: ATTR.int, value: 2 },
    { name: "T", type: ATTR.type, value: DT.float64 },
  ], [
    ops.constant(DT.int32, [], Int32Array.of(1)),
    reshape(ops, wide, [pairs, 2], DT.float64),
  ], 2).map(({ id }) => id);
  const step = f64(2 ** -32);
  const u1 = ops.binary(
    "Mul",
    ops.binary("AddV2", columns[0]!, f64(1), DT.float64),
    step,
    DT.float64,
  );
  const angle = ops.binary(
    "Mul",
    ops.binary("Mul", columns[1]!, step, DT.float64),
    f64(2 * Math.PI),
    DT.float64,
  );
  const squared = ops.binary("Mul", ops.unary("Log", u1, DT.float64), f64(-2), DT.float64);
  const radius = ops.unary("Sqrt", squared, DT.float64);
  const halves = ["Cos", "Sin"].map((op) =>
    ops.binary("Mul", radius, ops.unary(op, angle, DT.float64), DT.float64)
  );
  const joined = ops.concat(halves, 1, DT.float64);
  const flat = reshape(ops, ops.cast(joined, DT.float64, DT.float32), [2 * pairs], DT.float32);
  const cut = ops.run("Slice", { T: DT.float32, Index: DT.int32 }, [
    flat,
    ops.constant(DT.int32, [1], Int32Array.of(0)),
    ops.constant(DT.int32, [1], Int32Array.of(count)),
  ]);
  for (const id of columns) if (id >= 0) binding.deleteTensor(id);
  return ops.finish(reshape(ops, cut, shape, DT.float32), shape, DT.float32);
}

/** `permutation` as a graph: the order of the unique keys bits · 2³¹ + index. */
export function nativePermutation(
  native: TensorFlowBackend,
  n: number,
  key: Key,
  counter: tf.Tensor,
): tf.Tensor1D {
  const ops = new Ops(native);
  const { binding } = native;
  const wide = ops.cast(bits(ops, native, n, key, counter), DT.uint32, DT.int64);
  const high = ops.binary(
    "Mul",
    wide,
    ops.constant(DT.int64, [], BigInt64Array.of(1n << 31n)),
    DT.int64,
  );
  const i64 = (value: number) => ops.constant(DT.int64, [], BigInt64Array.of(BigInt(value)));
  const index = ops.run("Range", { Tidx: DT.int64 }, [i64(0), i64(n), i64(1)]);
  const keys = ops.binary("AddV2", high, index, DT.int64);
  // The largest of the negated keys are the smallest keys.
  const [values, order] = binding.executeOp(
    "TopKV2",
    [
      { name: "sorted", type: ATTR.bool, value: true },
      { name: "T", type: ATTR.type, value: DT.int64 },
    ],
    [ops.unary("Neg", keys, DT.int64), ops.constant(DT.int32, [], Int32Array.of(n))],
    2,
  );
  if (values!.id >= 0) binding.deleteTensor(values!.id);
  return ops.finish(order!.id, [n], DT.int32) as tf.Tensor1D;
}
