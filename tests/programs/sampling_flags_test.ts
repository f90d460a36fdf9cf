import assert from "node:assert/strict";
import { UsageError } from "../../lib/cli/mod.ts";
import {
  refuseSamplingOf,
  SAMPLING_FLAGS,
  samplingOptions,
  type SamplingValues,
} from "../../lib/programs/sampling_flags.ts";
import { run } from "./_command.ts";

const NONE: SamplingValues = {
  ...{ samplingSteps: undefined, sampler: undefined, ddimLegacyLadder: false },
};

Deno.test("flags of sampling become options, only those that were given", () => {
  assert.deepEqual(samplingOptions(NONE), {});
  const all = { samplingSteps: 5, sampler: "ddim", ddimLegacyLadder: true } as const;
  assert.deepEqual(samplingOptions(all), { samplingSteps: 5, sampler: "ddim", ladder: "legacy" });
  assert.deepEqual(samplingOptions({ ...NONE, sampler: "ddpm" }), { sampler: "ddpm" });
  assert.deepEqual(Object.keys(SAMPLING_FLAGS), Object.keys(NONE));
  assert.throws(
    () => samplingOptions({ ...all, sampler: "ddpm" }),
    (error: Error) =>
      error instanceof UsageError && /--ddim-legacy-ladder with/.test(error.message),
  );
});

Deno.test("flags of sampling are refused where nothing is sampled", () => {
  refuseSamplingOf("a file", NONE);
  refuseSamplingOf(null, { ...NONE, samplingSteps: 5 });
  assert.throws(() => refuseSamplingOf("a file", { ...NONE, samplingSteps: 5 }), UsageError);
});

Deno.test("evaluate and simulate refuse flags of sampling without a diffusion policy", async () => {
  for (
    const [script, flags, message] of [
      ["simulate.ts", ["--policy", "hold", "--sampler", "ddpm"], /policies that need no training/],
      ["simulate.ts", ["--policy", "hold", "--sampler", "dpm"], /--sampler/],
      ["evaluate.ts", ["--predictions", "x.json", "--sampling-steps", "5"], /--predictions/],
      ["evaluate.ts", ["--predictions", "x.json", "--sampling-steps", "0"], /--sampling-steps/],
      [
        "predict.ts",
        ["--run", "x", "--episode", "y", "--sampling-steps", "1.5"],
        /--sampling-steps/,
      ],
    ] as const
  ) {
    const { code, stderr } = await run(script, [...flags]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
