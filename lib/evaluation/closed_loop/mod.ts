/**
 * Policies in the phantom: they act on what they see, and what they do decides what they see next.
 *
 * @module
 */
export * from "./baselines.ts";
export * from "./evaluate_closed_loop.ts";
export * from "./policy.ts";
export * from "./report.ts";
export * from "./simulate_session.ts";
