/**
 * Notebooks without a browser: their cells run in Deno's real kernel, their types are checked, their
 * outputs are saved, and they become pages.
 *
 * @module
 */
export * from "./check_types.ts";
export * from "./html.ts";
export type { KernelMessage } from "./_messages.ts";
export { type CellEnd, Kernel, type KernelOptions } from "./kernel.ts";
export * from "./kernel_spec.ts";
export * from "./notebook.ts";
export * from "./ordered_kernel.ts";
export * from "./run_notebook.ts";
