/** A small run in a process of its own: `{engine, folder, name, options}` as JSON is its argument. */
import { startEngine } from "../../lib/engine/mod.ts";
import { type SmallRun, smallRun } from "./_small_run.ts";

/** What it is to do. */
export interface ChildTask {
  readonly engine: "tensorflow" | "wasm";
  readonly folder: string;
  readonly name: string;
  readonly options?: Omit<SmallRun, "onStep" | "onWarning" | "signal" | "cluster">;
  /** Step after which this rank wants to stop. */
  readonly stopAt?: { readonly rank: number; readonly step: number };
}

if (import.meta.main) {
  const { engine, folder, name, options, stopAt }: ChildTask = JSON.parse(Deno.args[0]!);
  const { cluster } = await startEngine({ engine, install: false, quiet: true, threads: 1 });
  const controller = new AbortController();
  const outcome = await smallRun(folder, name, {
    ...{ ...options, cluster, signal: controller.signal },
    onStep: ({ state: { globalStep } }) => {
      console.log(`step ${globalStep}`);
      if (stopAt?.rank === cluster.rank && stopAt.step === globalStep) controller.abort();
    },
  });
  console.log(JSON.stringify(outcome));
}
