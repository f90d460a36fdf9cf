import assert from "node:assert/strict";
import { type BenchRecord, type PeerRecord, stepPolicy } from "../../lib/benchmarks/mod.ts";
import { countParameters } from "../../lib/policies/mod.ts";
import { engineName, nativePeerTest, peerTest, runBench } from "./_run_bench.ts";

const STEP = [
  ...["step", "--preset", "tiny", "--batch", "2", "--window", "33", "--steps", "3", "--json"],
  ...["--threads", "1", "--engine", engineName],
];

const VARIANTS = engineName === "tensorflow" ? ["eager", "compiled", "xla"] : ["eager"];

function expectSummary({ median, p10, p90, runs }: BenchRecord | PeerRecord) {
  assert.ok(median > 0 && p10 > 0 && p10 <= median && median <= p90, `${p10} ${median} ${p90}`);
  assert.equal(runs, 3);
}

function expectStep(record: BenchRecord, variant: string) {
  assert.equal(record.name, "step");
  assert.equal(record.engine, engineName);
  assert.equal(record.unit, "ms");
  const parameters = countParameters(stepPolicy("tiny", 33)).total;
  const shape = { family: "regression", preset: "tiny", batch: 2, window: 33 };
  assert.deepEqual(record.config, {
    ...shape,
    variant,
    precision: "f32",
    threads: 1,
    parameters,
  });
  expectSummary(record);
  assert.ok(record.peakRss! > 5e7 && record.peakRss! < 2e10, String(record.peakRss));
  assert.ok(record.firstCallSeconds! > 0);
  assert.equal(record.traceSeconds !== undefined, variant !== "eager");
  assert.equal(record.nodes !== undefined, variant !== "eager");
  assert.equal(record.losses!.length, 2);
  assert.ok([...record.losses!, record.gradientNorm!].every((x) => Number.isFinite(x) && x > 0));
  assert.notEqual(record.losses![0], record.losses![1]);
  assert.equal(record.problem, undefined);
}

Deno.test("bench step --no-peer reports every variant in one JSON array", async () => {
  const { code, stdout, stderr } = await runBench([...STEP, "--no-peer"]);
  assert.equal(code, 0, stderr);
  const records = JSON.parse(stdout) as BenchRecord[];
  assert.deepEqual(records.map(({ config }) => config.variant), VARIANTS);
  for (const [i, variant] of VARIANTS.entries()) {
    expectStep(records[i]!, variant);
    assert.ok(!("ratio" in records[i]!) && !("ratioRange" in records[i]!));
    assert.deepEqual(records[i]!.peers, []);
    assert.ok(Math.abs(records[i]!.losses![0] / records[0]!.losses![0] - 1) < 1e-4);
  }
  assert.match(stderr, new RegExp(`engine: ${engineName} .* 1 thread: asked for`));
  assert.match(stderr, /eager f32/);
});

peerTest("bench step agrees with PyTorch and reports the ratio", async () => {
  const { code, stdout, stderr } = await runBench(STEP);
  assert.equal(code, 0, stderr);
  const records = JSON.parse(stdout) as BenchRecord[];
  assert.deepEqual(records.map(({ config }) => config.variant), VARIANTS);
  for (const [i, variant] of VARIANTS.entries()) {
    const record = records[i]!;
    expectStep(record, variant);
    const [peer, ...others] = record.peers;
    assert.equal(others.length, 0);
    assert.equal(peer!.library, "PyTorch");
    assert.match(peer!.version, /^\d+\.\d+/);
    expectSummary(peer!);
    assert.equal(record.ratio, peer!.ratio);
    assert.deepEqual(record.ratioRange, peer!.ratioRange);
    const [low, high] = record.ratioRange!;
    assert.ok(low > 0 && low <= record.ratio! && record.ratio! <= high);
    assert.ok(peer!.peakRss! > 5e7 && peer!.firstCallSeconds! > 0);
    assert.ok(Math.abs(record.losses![0] / peer!.losses![0] - 1) < 1e-4);
    assert.ok(Math.abs(record.losses![1] / peer!.losses![1] - 1) < 1e-3);
    assert.ok(Math.abs(record.gradientNorm! / peer!.gradientNorm! - 1) < 1e-3);
  }
});

Deno.test("bench matmul dispatch works on wasm, without bfloat16 and without python3", async () => {
  const { code, stdout, stderr } = await runBench(
    ["matmul", "dispatch", "--preset", "tiny", "--steps", "3", "--json", "--engine", "wasm"],
    { PATH: "" },
  );
  assert.equal(code, 0, stderr);
  const records = JSON.parse(stdout) as BenchRecord[];
  assert.deepEqual(
    records.map(({ name, config, unit }) => [name, config.n ?? config.ops, unit]),
    [
      ["matmul", 64, "ms"],
      ["matmul", 128, "ms"],
      ["matmul", 256, "ms"],
      ["dispatch", "add", "ops/s"],
      ["dispatch", "chain", "ops/s"],
      ["dispatch", "compiled chain", "ops/s"],
    ],
  );
  for (const record of records) expectSummary(record);
  const [first] = records;
  assert.deepEqual(first!.config, {
    m: 64,
    k: 64,
    n: 64,
    precision: "f32",
    casts: false,
    threads: 1,
  });
  assert.ok(Math.abs(first!.gflops! / (2 * 64 ** 3 / first!.median / 1e6) - 1) < 1e-12);
  assert.match(stderr, /bf16 is left out, because wasm has no bfloat16/);
  assert.match(stderr, /peer is missing.*no python3.*pip install numpy torch/);
});

Deno.test("bench measures bfloat16 products alone and with casts on tensorflow", {
  ignore: engineName !== "tensorflow",
}, async () => {
  const { code, stdout, stderr } = await runBench(
    [
      ...["matmul", "--preset", "tiny", "--precision", "bf16", "--steps", "3", "--json"],
      ...["--no-peer", "--quiet"],
    ],
  );
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  const records = JSON.parse(stdout) as BenchRecord[];
  assert.deepEqual(
    records.map(({ config }) => [config.m, config.precision, config.casts]),
    [64, 128, 256].flatMap((m) => [[m, "bf16", false], [m, "bf16", true]]),
  );
});

const WRONG: [args: string[], message: RegExp][] = [
  [
    ["stpe"],
    /should be one of matmul, .*, csv, npz, preprocess, cache, loader, allreduce, vision-language, current value is "stpe"\. Did you mean "step"/,
  ],
  [
    ["toString"],
    /should be one of matmul, .*, csv, npz, preprocess, cache, loader, allreduce, vision-language, current value is "toString"\.\n/,
  ],
  [["step", "--preset", "tine"], /--preset: .*Did you mean "tiny"/],
  [["step", "--batch", "0"], /--batch: .* at least 1, current value is "0"/],
  [
    ["step", "--variants", "eager,xls"],
    /--variants: .*current value is "xls"\. Did you mean "xla"/,
  ],
  [["--step", "3"], /Unknown flag --step; did you mean --steps\?/],
];

for (const [args, message] of WRONG) {
  Deno.test(`bench ${args.join(" ")} is wrong usage`, async () => {
    const { code, stdout, stderr } = await runBench(args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, message);
  });
}

const COMPILED = [...STEP, "--variants", "compiled"];

peerTest(
  "bench step --family diffusion agrees with PyTorch on the same noise and steps",
  async () => {
    const { code, stdout, stderr } = await runBench([...STEP, "--family", "diffusion"]);
    assert.equal(code, 0, stderr);
    for (const { config, problem, peers } of JSON.parse(stdout) as BenchRecord[]) {
      assert.equal(config.family, "diffusion");
      assert.equal(problem, undefined);
      assert.equal(peers.length, 1);
    }
  },
);

nativePeerTest(
  "bench step --precision bf16 has both PyTorch's bf16 and float32 steps beside it",
  async () => {
    const { code, stdout, stderr } = await runBench([...COMPILED, "--precision", "bf16"]);
    assert.equal(code, 0, stderr);
    const [record] = JSON.parse(stdout) as BenchRecord[];
    assert.deepEqual(record!.peers.map(({ library }) => library), ["PyTorch", "PyTorch float32"]);
    assert.ok(record!.peers.every(({ ratio, peakRss }) => ratio > 0 && peakRss! > 5e7));
  },
);

nativePeerTest("bench step --profile says where the time of a step goes", async () => {
  const { code, stdout, stderr } = await runBench([...COMPILED, "--profile", "--no-peer"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /step compiled: forward \d+ ms .*backward .* ms .*update -?\d+ ms/);
  const [record] = JSON.parse(stdout) as BenchRecord[];
  assert.equal(Object.keys(record!.phases!).length, 3);
});
