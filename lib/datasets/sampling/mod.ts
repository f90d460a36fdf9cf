export type { SampleOrder, Sharding } from "./sample_order.ts";
export * from "./sequential_order.ts";
export * from "./weighted_sampler.ts";
