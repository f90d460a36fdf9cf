/**
 * Whether the networks compute what PyTorch computes: comparison with recorded fixtures.
 *
 * @module
 */
export * from "./check.ts";
export * from "./fixture.ts";
export * from "./run.ts";
export * from "./report.ts";
