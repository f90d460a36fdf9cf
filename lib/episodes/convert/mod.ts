/**
 * Conversions between the files of older programs and ours: `data.pkl`, interval JSON, robot NPZ,
 * sensor windows.
 *
 * @module
 */
export * from "./conversion.ts";
export * from "./conversions.ts";
export * from "./export_data_pkl.ts";
export * from "./import_data_pkl.ts";
export * from "./interval_files.ts";
export * from "./interval_records.ts";
export * from "./nearest_row.ts";
export * from "./robot_files.ts";
export * from "./robot_states.ts";
export * from "./sensor_metadata.ts";
export * from "./sensor_rows.ts";
export * from "./sensor_windows.ts";
export * from "./window_files.ts";
