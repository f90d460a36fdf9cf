/**
 * Visual-language features: what a frozen model sees in the images of a moment, with the
 * instruction; and the cache that keeps them.
 *
 * @module
 */
export * from "./canonical_json.ts";
export type * from "./extractor.ts";
export * from "./find_episodes.ts";
export * from "./imported.ts";
export * from "./live_latency.ts";
export * from "./observation.ts";
export * from "./pixel_2048.ts";
export * from "./qwen.ts";
export * from "./qwen_extractor.ts";
export type * from "./qwen_source.ts";
export * from "./registry.ts";
export * from "./trainable.ts";
export * from "./cache/mod.ts";
