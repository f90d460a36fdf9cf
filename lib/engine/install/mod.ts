/**
 * Finding TensorFlow's libraries on this machine, fetching them if there are none, and proving
 * that they load.
 *
 * @module
 */
export * from "./cache_folder.ts";
export * from "./diagnose.ts";
export * from "./install.ts";
export * from "./install_error.ts";
export * from "./locate.ts";
export * from "./prove.ts";
export * from "./set_up.ts";
