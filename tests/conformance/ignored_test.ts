import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { isIgnored } from "./ignored.ts";
import list from "./tfjs_node_ignored.json" with { type: "json" };
import { KNOWN_FAILURES } from "./known_failures.ts";

Deno.test("tfjs_node_ignored.json is the list that the npm package holds", async () => {
  const path = createRequire(import.meta.url).resolve(
    "@tensorflow/tfjs-node-gpu/dist/run_tests.js",
  );
  const source = await Deno.readTextFile(path);
  const [, body] = /IGNORE_LIST = \[(.*?)\n\];/s.exec(source)!;
  const published = [...body!.matchAll(/^\s*'(.*)',?/gm)].map(([, entry]) => entry!);
  const listed = list.groups.flatMap((group) => group.specs);
  assert.deepEqual(listed.toSorted(), published.toSorted());
});

Deno.test("KNOWN_FAILURES holds only specs that tfjs-node ignores", () => {
  for (const spec of KNOWN_FAILURES.keys()) assert.ok(isIgnored(spec), spec);
});
