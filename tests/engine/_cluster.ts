/** Clusters of real processes for tests. */
import assert from "node:assert/strict";
import { localPlaces, tfConfig } from "../../lib/launch/place.ts";
import { hasNative } from "./_native.ts";

const root = new URL("../..", import.meta.url).pathname;

/** How a process ended, and what it printed. */
export interface End {
  readonly code: number;
  readonly document: Record<string, unknown>;
}

/** Runs one process of a cluster. */
export async function child(
  args: readonly string[],
  env: Record<string, string>,
): Promise<End> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tests/engine/_cluster_child.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1", TROCAR_JOIN_SECONDS: "60", ...env },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  assert.ok(text !== "" || code === 137 || code === 0, decoder.decode(stderr) || "no output");
  return { code, document: text === "" ? {} : JSON.parse(text) };
}

/** Runs the child as a cluster; how each ended, by rank. */
export function cluster(size: number, ...args: string[]): Promise<End[]> {
  return Promise.all(
    localPlaces(size).map((place) => child(args, { TF_CONFIG: tfConfig(place) })),
  );
}

/** A test that needs TensorFlow. */
export function clusterTest(name: string, body: () => void | Promise<void>): void {
  Deno.test({ name, ignore: !hasNative, fn: body });
}
