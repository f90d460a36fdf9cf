/**
 * What is in a file or folder: arrays with dtype and shape, columns, streams, statistics on request.
 * `deno task inspect PATH` prints it.
 *
 * Each kind of file is one entry of {@linkcode KINDS}, with its own way to recognise and to describe
 * it; a new kind is one more entry.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeNpz } from "../formats/npz_writer.ts";
 * import { inspect } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/sensor_data_20251027_170308.npz`;
 * writeNpz(path, {
 *   timestamps: { data: new Float64Array([0, 1, 2]) },
 *   alines: { shape: [3, 1025], data: new Float32Array(3 * 1025) },
 * });
 * const { kind, keys, tensors } = await inspect(path);
 * assert.equal(kind, "npz");
 * assert.deepEqual(keys, ["timestamps", "alines"]);
 * assert.deepEqual(tensors[1], {
 *   name: "alines",
 *   dtype: "float32",
 *   shape: [3, 1025],
 *   bytes: 12300,
 * });
 * ```
 *
 * @module
 */
export * from "./check_model_files.ts";
export * from "./format_inspection.ts";
export * from "./inspect.ts";
export * from "./inspection.ts";
export * from "./kinds.ts";
