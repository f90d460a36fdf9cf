/**
 * Benchmarks of trocar, each against the same work in Python, measured in alternation.
 *
 * @module
 */
import { allreduce } from "./allreduce.ts";
import type { Benchmark } from "./benchmark.ts";
import { csv } from "./csv.ts";
import { dispatch } from "./dispatch.ts";
import { matmul } from "./matmul.ts";
import { cache } from "./cache.ts";
import { loader } from "./loader.ts";
import { npz } from "./npz.ts";
import { preprocess } from "./preprocess.ts";
import { step } from "./step.ts";
import { visionLanguage } from "./vision_language.ts";

export * from "./agreement.ts";
export type {
  BenchContext,
  Benchmark,
  BenchOptions,
  EngineBenchmark,
  FileBenchContext,
  FileBenchmark,
  StepVariant,
} from "./benchmark.ts";
export * from "./fill.ts";
export * from "./interleave.ts";
export * from "./peer.ts";
export * from "./record.ts";
export * from "./statistics.ts";
export * from "./step_weights.ts";
export * from "./worker.ts";

/** All benchmarks by name, in the order in which they run. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  matmul,
  dispatch,
  step,
  csv,
  npz,
  preprocess,
  cache,
  loader,
  allreduce,
  "vision-language": visionLanguage,
};
