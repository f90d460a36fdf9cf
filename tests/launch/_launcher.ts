/** A launcher of `_worker.ts` under test, as `scripts/launch.ts` is one of tasks. */
import { fileURLToPath } from "node:url";
import { launch, localPlaces, workerEnvironment } from "../../lib/launch/mod.ts";

const [what, folder] = Deno.args as [string, string];
const controller = new AbortController();
Deno.addSignalListener("SIGINT", () => controller.abort());
const worker = fileURLToPath(new URL("./_worker.ts", import.meta.url));
const watch = fileURLToPath(new URL("../../lib/launch/_watch_launcher.ts", import.meta.url));
const ends = await launch(
  localPlaces(2).map((place) => ({
    rank: place.rank,
    args: ["run", `--preload=${watch}`, "-A", worker, what, folder],
    environment: workerEnvironment(place, { cpus: 8, gpus: [] }, {}),
  })),
  {
    signal: controller.signal,
    noticeSeconds: 0.5,
    graceSeconds: 1,
    onLine: (rank, line) => console.error(`[rank ${rank}] ${line}`),
  },
);
console.error(JSON.stringify(ends));
