/** Small ops, whose time is that of reaching the kernel. */
import { compile, type Engine, tf } from "../engine/mod.ts";
import { fill } from "./fill.ts";
import { repeated, type Subject } from "./_subject.ts";

/** Which small ops. */
export interface DispatchConfig {
  /**
   * `add`: one addition; `chain`: {@link CHAIN_OPS} mixed ops, each on the last one's result;
   * `compiled chain`: the same in one compiled function.
   */
  readonly ops: "add" | "chain" | "compiled chain";
}

/** Numbers in each tensor. */
const WIDTH = 8;
const LINKS = 16;

/** Ops in a chain. */
export const CHAIN_OPS = 8 * LINKS;

/** 16 times the same 8 ops; `chain` in `peer.py` is the same. */
function chain(x: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  for (let i = 0; i < LINKS; i++) {
    x = x.add(a).mul(b).sub(a).relu().add(b).tanh().square().neg();
  }
  return x;
}

/** Readies the ops. Its times are those of a single op. */
export async function dispatchSubject(engine: Engine, { ops }: DispatchConfig): Promise<Subject> {
  const [x, a, b] = [0, 1, 2].map((i) => tf.tensor1d(fill(i, WIDTH, 1))) as [
    tf.Tensor1D,
    tf.Tensor1D,
    tf.Tensor1D,
  ];
  const compiled = compile(chain, { name: "chain" });
  const bodies: Record<DispatchConfig["ops"], () => void> = {
    "add": () => x.add(a).dispose(),
    "chain": () => tf.tidy(() => chain(x, a, b)).dispose(),
    "compiled chain": () => compiled(x, a, b).dispose(),
  };
  const subject = await repeated(engine, bodies[ops], () => {
    compiled.dispose();
    tf.dispose([x, a, b]);
  });
  return { ...subject, repeats: subject.repeats * (ops === "add" ? 1 : CHAIN_OPS) };
}
