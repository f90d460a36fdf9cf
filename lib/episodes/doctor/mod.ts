/**
 * The data-quality report of recordings and episode containers: `deno task doctor --data DIR`.
 *
 * @module
 */
export * from "./diagnose_data.ts";
export * from "./format_diagnosis.ts";
