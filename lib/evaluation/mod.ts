/**
 * How good a policy is: in open loop on recordings, baselines always beside it, and as a page to read.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { evaluateChunks, parsePredictions, reportPage } from "./mod.ts";
 *
 * const samples = [0.1, 0.2, 0.3].map((gt) => ({
 *   gt_delta_actions: [[gt, 0, 0]],
 *   pred_delta_actions: [[0.2, 0, 0]],
 * }));
 * const { chunks, flags, meanSource } = parsePredictions({ samples });
 * const evaluation = evaluateChunks(chunks, flags, { meanSource });
 * assert.equal(evaluation.beatsBaselines, false);
 * assert.match(reportPage({ title: "An audit", evaluation }), /hold last action/);
 * ```
 *
 * @module
 */
export * from "./calibration.ts";
export * from "./chunk_predictions.ts";
export * from "./comparison.ts";
export * from "./draw_latencies.ts";
export { type ErrorDistribution, type ErrorSummary, summariseErrors } from "./error_summary.ts";
export * from "./contact_labels.ts";
export * from "./evaluation.ts";
export * from "./format_evaluation.ts";
export * from "./grouped_probe.ts";
export * from "./latency.ts";
export * from "./logistic_regression.ts";
export * from "./paired_bootstrap.ts";
export * from "./pareto_front.ts";
export * from "./latency_fit.ts";
export * from "./permutation_test.ts";
export * from "./policy_predictions.ts";
export * from "./predict_dataset.ts";
export * from "./predictions_file.ts";
export * from "./principal_components.ts";
export * from "./recorded_truth.ts";
export * from "./report/report_page.ts";
export * from "./review_session.ts";
export * from "./session_chunks.ts";
export { type Embedding, sensorSummary } from "./sensor_summary.ts";
export * from "./worst_windows.ts";
export * from "./closed_loop/mod.ts";
