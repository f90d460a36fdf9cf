/**
 * Names of modules and parameters in the order in which the library (transformers 4.52 and later, with
 * peft) registers them, which is that of `named_parameters()` and so of PyTorch's numbers.
 */
const ORDER = [
  ...["model", "lm_head", "visual", "language_model"],
  ...["patch_embed", "embed_tokens", "blocks", "layers", "merger"],
  ...["norm1", "norm2", "ln_q", "attn", "self_attn", "mlp"],
  ...["input_layernorm", "post_attention_layernorm", "norm"],
  ...["qkv", "proj", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  ...["base_layer", "lora_A", "lora_B", "weight", "bias"],
];

/** Compares keys of a visual-language model; the order of all others is left as it is. */
export function compareModules(a: string, b: string): number {
  const [left, right] = [a, b].map((key) => key.split("."));
  if (!isModel(a) || !isModel(b)) return 0;
  const at = left!.findIndex((segment, i) => segment !== right![i]);
  const [x = "", y = ""] = [left![at], right![at]];
  return at < 0 ? 0 : rank(x) - rank(y);
}

function isModel(key: string): boolean {
  return key.startsWith("vl_model.");
}

function rank(segment: string): number {
  return /^\d+$/.test(segment) ? Number(segment) : ORDER.indexOf(segment);
}
