import * as tf from "@tensorflow/tfjs";
import { activeTracer } from "../tensorflow/_active.ts";
import { ATTR, type Attribute } from "../tensorflow/_attributes.ts";
import type { TensorFlowBackend } from "../tensorflow/_backend.ts";
import { DT, type ElementArray } from "../tensorflow/_dtypes.ts";
import { dtypeOf } from "../tensorflow/_kernels.ts";
import type { NamedTensors, Variables } from "../variable.ts";
import { intoBuckets, join, part } from "./_buckets.ts";
import { instanceKey } from "./_instance_key.ts";
import { explainLoss } from "./_lost.ts";
import type { Cluster } from "./cluster.ts";
import type { GraphTracer } from "../tensorflow/_graph.ts";
import { CollectiveInXla } from "./_collective_in_xla.ts";
import type { ClusterMember } from "./tf_config.ts";

/** Groups of devices: what is computed stays on its GPU, if there is one; all else is on the CPUs. */
const DEVICES = 1, HOSTS = 2;

/** NCCL between GPUs, a ring of gRPC calls between CPUs. */
const HINT = { name: "communication_hint", type: ATTR.string, value: "auto" };

/** A cluster whose processes TensorFlow has joined. */
export class NativeCluster implements Cluster {
  readonly size: number;
  readonly rank: number;
  readonly #native: TensorFlowBackend;
  /** Collective ops of each function being traced. */
  readonly #counts = new WeakMap<GraphTracer, number>();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param native The native backend, on a context that was joined.
   * @param member The cluster and this process's place.
   */
  constructor(native: TensorFlowBackend, member: ClusterMember) {
    this.#native = native;
    this.size = member.size;
    this.rank = member.rank;
    native.binding.explain = (error) => explainLoss(error, member);
  }

  allReduce<T extends NamedTensors>(tensors: T): T {
    const tracer = activeTracer();
    if (tracer?.options.xla) throw new CollectiveInXla();
    for (const [name, { dtype, shape }] of Object.entries(tensors)) {
      if (dtype === "float32" || dtype === "int32") continue;
      throw new TypeError(
        `Cannot sum "${name}" over processes: float32 or int32 is needed, current value is ${dtype}[${shape}]`,
      );
    }
    return tf.tidy(() => {
      const sums = new Map<string, tf.Tensor>();
      for (const bucket of intoBuckets(tensors)) {
        const joined = join(bucket);
        const place = tracer === undefined ? "at once" : `in a function ${this.#count(tracer)}`;
        const sum = this.#reduce(joined, `${place} ${joined.dtype}[${joined.size}]`);
        for (const [name, tensor] of part(this.#native, bucket, sum)) sums.set(name, tensor);
      }
      // Of no elements, the sum is the tensor.
      return Object.fromEntries(
        Object.entries(tensors).map(([name, tensor]) => [name, sums.get(name) ?? tensor.clone()]),
      ) as T;
    });
  }

  broadcastVariables(all: Variables): Promise<void> {
    return this.#inTurn(async () => {
      const { tensors } = this.#native.binding;
      for (const [name, variable] of Object.entries(all)) {
        if (variable.shape.includes(0)) continue;
        const form = { shape: variable.shape, dtype: dtypeOf(variable) };
        const label = `variable ${name} ${variable.dtype}[${variable.shape}]`;
        const mine = this.rank === 0 ? variable.read() : undefined;
        const [id] = mine === undefined ? [] : this.#native.ids([mine]);
        const found = await this.#fromChief(label, form, id);
        mine?.dispose();
        const value = this.#native.tensor(tensors.metadata(found));
        if (this.rank !== 0) variable.assign(value);
        value.dispose();
      }
    });
  }

  sum(values: readonly number[]): Promise<number[]> {
    return this.#inTurn(async () => {
      if (values.length === 0) return [];
      return Array.from(await this.#sum(Float64Array.from(values), DT.float64), Number);
    });
  }

  broadcast<T>(value: T): Promise<T> {
    return this.#inTurn(async () => {
      const bytes = new TextEncoder().encode(this.rank === 0 ? JSON.stringify(value) ?? "" : "");
      const [length] = await this.#words(Int32Array.of(bytes.length));
      if (length === 0) return undefined as T;
      const words = new Int32Array(Math.ceil(length! / 4));
      new Uint8Array(words.buffer).set(bytes);
      const found = await this.#words(words);
      const text = new TextDecoder().decode(new Uint8Array(found.buffer, 0, length));
      return JSON.parse(text) as T;
    });
  }

  barrier(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#sum(Int32Array.of(1), DT.int32);
    });
  }

  #count(tracer: GraphTracer): number {
    const count = this.#counts.get(tracer) ?? 0;
    this.#counts.set(tracer, count + 1);
    return count;
  }

  /** Two that wait at once could meet the wrong ones of another process. */
  #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const next = this.#last.then(body);
    this.#last = next.catch(() => {});
    return next;
  }

  #reduce(tensor: tf.Tensor, label: string): tf.Tensor {
    const keys = [this.size, DEVICES, instanceKey(label)].map((x) => tf.scalar(x, "int32"));
    const [output] = this.#native.binding.executeOp(
      "CollectiveReduceV2",
      reduction(dtypeOf(tensor)),
      this.#native.ids([tensor, ...keys]),
      1,
    );
    return this.#native.tensor(output!);
  }

  async #sum(values: ElementArray, dtype: number): Promise<ElementArray> {
    const { tensors } = this.#native.binding;
    const input = tensors.create([values.length], dtype, values);
    const label = `sum ${dtype}[${values.length}]`;
    try {
      return this.#take(await this.#run("CollectiveReduceV2", reduction(dtype), label, [input]));
    } finally {
      tensors.delete(input);
    }
  }

  /** Rank 0's integers; those of other ranks say only how many. */
  async #words(values: Int32Array): Promise<Int32Array> {
    const { tensors } = this.#native.binding;
    const form = { shape: [values.length], dtype: DT.int32 };
    const input = tensors.create(form.shape, form.dtype, values);
    try {
      return this.#take(
        await this.#fromChief(`words ${values.length}`, form, input),
      ) as Int32Array;
    } finally {
      tensors.delete(input);
    }
  }

  /** Id of a new tensor with rank 0's values. */
  async #fromChief(
    label: string,
    { shape, dtype }: { readonly shape: readonly number[]; readonly dtype: number },
    mine: number | undefined,
  ): Promise<number> {
    const attributes = [{ name: "T", type: ATTR.type, value: dtype }, HINT];
    if (this.rank === 0) {
      return await this.#run("CollectiveBcastSendV2", attributes, label, [mine!]);
    }
    const { tensors } = this.#native.binding;
    const dims = tensors.create([shape.length], DT.int32, Int32Array.from(shape));
    try {
      return await this.#run("CollectiveBcastRecvV2", attributes, label, [], [dims]);
    } finally {
      tensors.delete(dims);
    }
  }

  /** Runs a collective op between the CPUs while this thread goes on; the id of its result. */
  async #run(
    op: string,
    attributes: readonly Attribute[],
    label: string,
    before: readonly number[],
    after: readonly number[] = [],
  ): Promise<number> {
    const { binding } = this.#native;
    const keys = [this.size, HOSTS, instanceKey(label)].map((x) =>
      binding.tensors.create([], DT.int32, Int32Array.of(x))
    );
    try {
      const inputs = [...before, ...keys, ...after];
      return (await binding.executeElsewhere(op, attributes, inputs, 1))[0]!.id;
    } finally {
      keys.forEach((id) => binding.tensors.delete(id));
    }
  }

  #take(id: number): ElementArray {
    const { tensors } = this.#native.binding;
    const values = tensors.read(id) as ElementArray;
    tensors.delete(id);
    return values;
  }
}

function reduction(dtype: number): Attribute[] {
  return [
    { name: "T", type: ATTR.type, value: dtype },
    { name: "merge_op", type: ATTR.string, value: "Add" },
    { name: "final_op", type: ATTR.string, value: "Id" },
    { name: "Nordering_token", type: ATTR.int, value: 0 },
    HINT,
  ];
}
