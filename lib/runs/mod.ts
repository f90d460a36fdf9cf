/**
 * Runs of the training programs: found, told in a table, compared, drawn over one another.
 * `deno task runs` prints it.
 *
 * @module
 */
export * from "./columns.ts";
export * from "./compare_runs.ts";
export * from "./find_runs.ts";
export * from "./read_run.ts";
export * from "./runs_page.ts";
