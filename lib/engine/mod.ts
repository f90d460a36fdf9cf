export * as tf from "@tensorflow/tfjs";
export * from "./compile.ts";
export * from "./gradients.ts";
export * from "./variable.ts";
