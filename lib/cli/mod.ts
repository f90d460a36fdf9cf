/**
 * The base of every command: flags, help, exit codes, progress, tables.
 *
 * @module
 */
export type { CommonFlags } from "./_parse.ts";
export * from "./command.ts";
export * from "./common_flags.ts";
export * from "./flag.ts";
export * from "./format_duration.ts";
export * from "./format_progress.ts";
export * from "./nearest.ts";
export * from "../formats/printable.ts";
export * from "../formats/quote.ts";
export * from "./peak_rss.ts";
export * from "./progress_line.ts";
export * from "./table.ts";
export * from "./terminal.ts";
export * from "./usage_error.ts";
