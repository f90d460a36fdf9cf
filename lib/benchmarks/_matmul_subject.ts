/** A matrix product on the engine in use. */
import { compile, type Engine, tf } from "../engine/mod.ts";
import { nativeBackend } from "../engine/tensorflow/_active.ts";
import { ATTR } from "../engine/tensorflow/_attributes.ts";
import { DT } from "../engine/tensorflow/_dtypes.ts";
import { fill } from "./fill.ts";
import { repeated, type Subject } from "./_subject.ts";

/** What is multiplied: (m, k) by (k, n). */
export interface MatmulConfig {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly precision: "f32" | "bf16";
  /** For bf16: whether float32 is narrowed and widened again in each run, as in `compile()`. */
  readonly casts: boolean;
}

/** Readies a product of two filled matrices. */
export async function matmulSubject(engine: Engine, config: MatmulConfig): Promise<Subject> {
  const { m, k, n, precision, casts } = config;
  const a = tf.tensor2d(fill(0, m * k, 1), [m, k]);
  const b = tf.tensor2d(fill(1, k * n, 1), [k, n]);
  if (precision === "f32") {
    return await repeated(engine, () => tf.matMul(a, b).dispose(), () => tf.dispose([a, b]));
  }
  if (casts) {
    const product = compile((x: tf.Tensor2D, y: tf.Tensor2D) => tf.matMul(x, y), {
      name: "product",
      precision: "bfloat16",
    });
    return await repeated(engine, () => product(a, b).dispose(), () => {
      product.dispose();
      tf.dispose([a, b]);
    });
  }
  return await bfloat16Product(engine, a, b);
}

/** TensorFlow's MatMul on bfloat16 tensors; tfjs has no such dtype, so it is called directly. */
async function bfloat16Product(engine: Engine, a: tf.Tensor, b: tf.Tensor): Promise<Subject> {
  const native = nativeBackend();
  if (native === undefined) {
    throw new Error(
      `Cannot multiply in bfloat16: it needs TensorFlow, current value is ${engine.name}`,
    );
  }
  const { binding } = native;
  const narrow = [
    { name: "SrcT", type: ATTR.type, value: DT.float32 },
    { name: "DstT", type: ATTR.type, value: DT.bfloat16 },
    { name: "Truncate", type: ATTR.bool, value: false },
  ];
  const ids = native.ids([a, b]).map((id) => binding.execute("Cast", narrow, [id], 1)[0]!.id);
  tf.dispose([a, b]);
  const attributes = [
    { name: "T", type: ATTR.type, value: DT.bfloat16 },
    { name: "transpose_a", type: ATTR.bool, value: false },
    { name: "transpose_b", type: ATTR.bool, value: false },
  ];
  return await repeated(
    engine,
    () => binding.tensors.delete(binding.execute("MatMul", attributes, ids, 1)[0]!.id),
    () => ids.forEach((id) => binding.tensors.delete(id)),
  );
}
