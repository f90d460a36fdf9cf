export { type Cluster, ONE_PROCESS } from "./cluster.ts";
export * from "./tf_config.ts";
