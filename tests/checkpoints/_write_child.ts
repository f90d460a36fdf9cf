/** Writes a checkpoint over and over until it is killed, and prints each epoch that is written. */
import { writeCheckpoint, writePointer } from "../../lib/checkpoints/mod.ts";
import type { TensorArray } from "../../lib/formats/mod.ts";
import { policyShapes } from "../../lib/policies/mod.ts";
import { smallPolicy } from "./_policies.ts";

const [run = "", first = "1"] = Deno.args;
const config = smallPolicy();
for (let epoch = Number(first);; epoch++) {
  // Every number says of which epoch it is.
  const tensors = new Map(
    policyShapes(config).map(({ key, shape, dtype }): [string, TensorArray] => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [
        key,
        dtype === "int64"
          ? { dtype, shape, data: new BigInt64Array(count).fill(BigInt(epoch)) }
          : { dtype: "float32", shape, data: new Float32Array(count).fill(epoch) },
      ];
    }),
  );
  const key = "action_expert.pos_embed";
  const training = { [`exp_avg.${key}`]: tensors.get(key)! };
  await writeCheckpoint(`${run}/checkpoint`, { contents: { config, epoch }, tensors, training });
  writePointer(run, "latest", "checkpoint");
  Deno.stdout.writeSync(new TextEncoder().encode(`${epoch}\n`));
}
