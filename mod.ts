/**
 * trocar: recordings of a surgical robot into aligned training data, policies, checkpoints and their
 * evaluation. This module gathers the public parts, by room.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { engine } from "trocar";
 *
 * await engine.startEngine({ quiet: true });
 * const double = engine.compile((x: engine.tf.Tensor) => x.mul(2));
 * assert((await double(engine.tf.scalar(21)).data())[0] === 42);
 * ```
 *
 * @module
 */
export * as engine from "./lib/engine/mod.ts";
export * as formats from "./lib/formats/mod.ts";
export * as robot from "./lib/robot/mod.ts";
export * as phantom from "./lib/phantom/mod.ts";
export * as episodes from "./lib/episodes/mod.ts";
export * as datasets from "./lib/datasets/mod.ts";
export * as vision_language from "./lib/vision_language/mod.ts";
export * as features from "./lib/features/mod.ts";
export * as policies from "./lib/policies/mod.ts";
export * as checkpoints from "./lib/checkpoints/mod.ts";
export * as training from "./lib/training/mod.ts";
export * as control from "./lib/control/mod.ts";
export * as evaluation from "./lib/evaluation/mod.ts";
export * as runs from "./lib/runs/mod.ts";
export * as plots from "./lib/plots/mod.ts";
export * as notebooks from "./lib/notebooks/mod.ts";
export * as demonstration from "./lib/demonstration/mod.ts";
