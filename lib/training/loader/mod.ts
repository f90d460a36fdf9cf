export type { LoadedBatch, LoadedShape } from "./loaded_batch.ts";
export * from "./loader.ts";
