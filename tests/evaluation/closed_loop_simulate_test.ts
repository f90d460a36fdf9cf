import assert from "node:assert/strict";

const SCRIPT = new URL("../../scripts/simulate.ts", import.meta.url).pathname;

async function simulate(...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("simulate prints a table and a verdict", async () => {
  const { code, stdout } = await simulate("--policy", "expert", "--episodes", "3");
  assert.equal(code, 0);
  assert.match(stdout, /^policy +replan ms +success .*\nexpert +800 +1\.000 +3\/3 .* none\n/);
  assert.match(stdout, /\nexpert inserts in 3 of 3 scenes \(800 ms\)\.\n$/);
});

Deno.test("simulate --json prints one document with every replanning time", async () => {
  const { code, stdout } = await simulate(
    ...["--policy", "zero", "--episodes", "1", "--replan-ms", "800,300", "--replan_ms", "500"],
    ...["--json", "--jpeg-quality", "0", "--scene-seed", "20000", "--task", "Eye_trocar"],
  );
  assert.equal(code, 0);
  const document = JSON.parse(stdout);
  assert.equal(document.policy, "zero");
  assert.deepEqual([document.episodes, document.successRate], [1, 0]);
  assert.deepEqual(document.failures, { "no-contact": 1 });
  assert.deepEqual([document.lateralErrorMm.p50, document.lateralErrorMm.p95], [null, null]);
  assert(document.depthErrorMm.p50 > 5 && document.depthErrorMm.p95 > 5, "depth errors in mm");
  assert.deepEqual(
    document.settings.map(({ replanMs }: { replanMs: number }) => replanMs),
    [800, 300, 500],
  );
  assert.deepEqual([document.task, document.sceneSeed, document.quality], [
    "Eye_trocar",
    20000,
    null,
  ]);
  assert.equal(document.settings[1].scenes[0].seed, 20000);
});

Deno.test("simulate says what it takes --replan-ms as, and how far all insertions are", async () => {
  const { code, stdout, stderr } = await simulate(
    ...["--policy", "zero", "--episodes", "2", "--replan-ms", "755,1600,300", "--json"],
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /--replan-ms 755 is taken as 800: whole actions of 100 ms\./);
  assert.match(stderr, /--replan-ms 1600 is taken as 800: a plan has 8 actions of 100 ms\./);
  assert.doesNotMatch(stderr, /--replan-ms 300/);
  assert.match(stderr, /every 800 ms: 2 insertions at once, simulated second 0\.0 of 10/);
  const { settings, baselines } = JSON.parse(stdout);
  assert.deepEqual(settings.map(({ replanMs }: { replanMs: number }) => replanMs), [800, 300]);
  assert.equal(baselines, undefined);
});

Deno.test("simulate refuses wrong usage with code 2 and says what to do", async () => {
  for (
    const [args, message] of [
      [[], /--run DIR, or a policy with --policy/],
      [["--run", "x", "--policy", "zero"], /only one of --run and --policy/],
      [["--policy", "exprt"], /Did you mean "expert"/],
      [["--policy", "zero", "--replan-ms", "20"], /from 50 to 10000 ms/],
      [["--policy", "zero", "--replan-ms", "-300"], /from 50 to 10000 ms/],
      [["--policy", "zero", "--latency-ms", "15"], /multiple of 10/],
      [["--policy", "zero", "--episodes", "0"], /--episodes/],
    ] as const
  ) {
    const { code, stderr } = await simulate(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
