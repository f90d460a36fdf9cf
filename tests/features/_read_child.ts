/** Reads all features again and again until standard input ends; says what it lost. */
import { FeatureStore } from "../../lib/features/cache/store.ts";

const shape = { dtype: "float32", norm: [1e-6, 100], width: 512 } as const;
const [folder] = Deno.args as [string];
let stopped = false;
Deno.stdin.read(new Uint8Array(1)).then(() => stopped = true);

using store = FeatureStore.open(folder);
const keys = [...store.keys()];
console.log("ready");
let reads = 0, lost = 0;
while (!stopped) {
  for (const key of keys) {
    if (store.read(key, shape) === undefined) lost++;
    reads++;
  }
  store.refresh();
  await new Promise((resume) => setTimeout(resume));
}
console.log(JSON.stringify({ keys: keys.length, reads, lost, corrupt: store.counts.corrupt }));
