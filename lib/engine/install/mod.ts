/**
 * Finding TensorFlow's libraries on this machine and fetching them if there are none.
 *
 * @module
 */
export * from "./cache_folder.ts";
export * from "./install.ts";
export * from "./install_error.ts";
export * from "./locate.ts";
