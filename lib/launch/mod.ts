/**
 * Several processes of one program: where each of them is, and their life and death on one machine.
 *
 * @module
 */
export * from "./gather.ts";
export * from "./launch.ts";
export * from "./place.ts";
export * from "./scheduler.ts";
export * from "./task_command.ts";
