/** File that says which shard holds which tensor. */
export const INDEX = "model.safetensors.index.json";
/** File of weights that are not cut into shards. */
export const SINGLE = "model.safetensors";
/** Settings of an adapter. */
export const ADAPTER_CONFIG = "adapter_config.json";
/** Matrices of an adapter. */
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";
