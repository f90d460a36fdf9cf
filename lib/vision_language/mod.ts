/**
 * Qwen2.5-VL: configuration, weights, images, prompts, vision tower, text decoder and adapters.
 *
 * @module
 */
export * from "./adapter_changes.ts";
export * from "./adapter_file.ts";
export * from "./adapter_problems.ts";
export * from "./batch.ts";
export * from "./config.ts";
export * from "./fine_tuning.ts";
export * from "./forward.ts";
export * from "./forward_context.ts";
export * from "./image_processor.ts";
export * from "./image_size.ts";
export * from "./lora.ts";
export * from "./merged_model.ts";
export * from "./model.ts";
export * from "./model_folder.ts";
export * from "./patches.ts";
export * from "./pooling.ts";
export * from "./picture_similarity.ts";
export * from "./positions.ts";
export * from "./prompt.ts";
export * from "./resample.ts";
export * from "./random_weights.ts";
export * from "./rotary.ts";
export * from "./tensor_names.ts";
export * from "./token_prompt.ts";
export * from "./token_counts.ts";
export * from "./tokenizer.ts";
export * from "./trained_changes.ts";
export * from "./trained_tensors.ts";
export * from "./vision_layout.ts";
export * from "./weights.ts";
