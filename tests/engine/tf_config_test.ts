import assert from "node:assert/strict";
import { clusterFromEnvironment, parseTfConfig } from "trocar/engine";
import { tfConfig } from "../../lib/launch/place.ts";

Deno.test("parseTfConfig() reads the chief, then the workers", () => {
  const cluster = { chief: ["c:1"], worker: ["[::1]:2", "b:3"] };
  const at = (type: string, index: number) =>
    parseTfConfig(JSON.stringify({ cluster, task: { type, index } }));
  assert.deepEqual(at("worker", 1), {
    size: 3,
    rank: 2,
    addresses: ["c:1", "[::1]:2", "b:3"],
    tasks: [{ type: "chief", index: 0 }, { type: "worker", index: 0 }, {
      type: "worker",
      index: 1,
    }],
  });
  assert.equal(at("chief", 0)?.rank, 0);
  for (
    const none of [undefined, "", " ", "{}", '{"cluster": {}}', '{"task": {"type": "worker"}}']
  ) {
    assert.equal(parseTfConfig(none), null);
  }
});

Deno.test("parseTfConfig() says what is wrong, where", () => {
  const task = { type: "worker", index: 0 };
  const cases: [unknown, RegExp][] = [
    ["{", /the whole should be JSON/],
    [[], /the whole should be an object/],
    [{ cluster: [] }, /cluster should be an object/],
    [{ cluster: { worker: "a:1" }, task }, /cluster.worker should be a list.*current value is a:1/],
    [{ cluster: { worker: ["a"] }, task }, /cluster.worker\[0\] should be "host:port"/],
    [{ cluster: { worker: ["a:0"] }, task }, /cluster.worker\[0\]/],
    [{ cluster: { worker: ["a:65536"] }, task }, /cluster.worker\[0\]/],
    [{ cluster: { worker: ["a:1", 7] }, task }, /cluster.worker\[1\]/],
    [{ cluster: { worker: ["a:1", "a:1"] }, task }, /a different address for each/],
    [{ cluster: { worker: [] }, task }, /at least one address/],
    [{ cluster: { chief: ["a:1", "b:1"] }, task }, /cluster.chief should be one address/],
    [{ cluster: { worker: ["a:1"], ps: ["b:1"] }, task }, /cluster.ps should be absent/],
    [{ cluster: { worker: ["a:1"] } }, /task should be there/],
    [{ cluster: { worker: ["a:1"] }, task: "worker" }, /task should be an object/],
    [{ cluster: { worker: ["a:1"] }, task: { type: "ps", index: 0 } }, /task.type should be/],
    [{ cluster: { worker: ["a:1"] }, task: { type: "chief", index: 0 } }, /has no chief/],
    [{ cluster: { worker: ["a:1"] }, task: { type: "worker", index: 1 } }, /from 0 to 0/],
    [{ cluster: { worker: ["a:1"] }, task: { type: "worker", index: "0" } }, /task.index/],
  ];
  for (const [config, expected] of cases) {
    const text = typeof config === "string" ? config : JSON.stringify(config);
    assert.throws(() => parseTfConfig(text), { name: "SyntaxError", message: expected });
  }
});

Deno.test("clusterFromEnvironment() reads TF_CONFIG", () => {
  Deno.env.set(
    "TF_CONFIG",
    tfConfig({ rank: 1, localRank: 1, localSize: 2, addresses: ["a:1", "b:1"] }),
  );
  assert.equal(clusterFromEnvironment()?.rank, 1);
  Deno.env.delete("TF_CONFIG");
  assert.equal(clusterFromEnvironment(), null);
});
