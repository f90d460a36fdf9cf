/**
 * The field's file formats: NPY, NPZ, CSV, pickle, `data.pkl`, interval JSON, JPEG headers, zip; and files
 * that are there as a whole or not at all. Knows nothing of robots or tensors.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNpy, writeNpy } from "trocar/formats";
 *
 * const path = `${Deno.makeTempDirSync()}/force.npy`;
 * writeNpy(path, { data: Float32Array.of(2.4, 2.5) });
 * assert.deepEqual(readNpy(path, { dtype: "float32" }).data, Float32Array.of(2.4, 2.5));
 * ```
 *
 * @module
 */
export { parseCsv, readCsv } from "./csv.ts";
export { type CsvBlock, type CsvBlockOptions, readCsvBlocks } from "./csv_blocks.ts";
export type { CsvOptions, CsvTable } from "./csv_options.ts";
export { folderDigest } from "./folder_digest.ts";
export { imageTime } from "./image_time.ts";
export { type JpegHeader, readJpegHeader } from "./jpeg.ts";
export * from "./bytes_file.ts";
export * from "./npy.ts";
export { type NpyReader, openNpy } from "./npy_reader.ts";
export * from "./npy_types.ts";
export { createNpyWriter, type NpyRows, type NpyRowType, type NpyWriter } from "./npy_writer.ts";
export * from "./npz_reader.ts";
export { createNpzWriter, type NpzOptions, type NpzWriter, writeNpz } from "./npz_writer.ts";
export { readZipDirectory, type ZipEntry } from "./zip.ts";
export * from "./zip_stream.ts";
export * from "./random_access_file.ts";
export * from "./atomic_write.ts";
export * from "./data_pkl.ts";
export * from "./pickle_globals.ts";
export * from "./pickle_reader.ts";
export * from "./pickle_values.ts";
export * from "./pickle_writer.ts";
export { type CsvContents, writeCsv } from "./csv_writer.ts";
export * from "./interval_json.ts";
export * from "./bfloat16.ts";
export { openSafetensors, type SafetensorsReader } from "./safetensors.ts";
export { writeSafetensors } from "./safetensors_writer.ts";
export * from "./tensor_types.ts";
export * from "./torch_checkpoint.ts";
export { type TorchInput, writeTorchCheckpoint } from "./torch_checkpoint_writer.ts";
export * from "./torch_values.ts";
