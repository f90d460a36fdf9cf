import { tf } from "../engine/mod.ts";
import type { VisionLanguageForward } from "./forward_context.ts";
import { runLayer } from "./_recompute_layer.ts";
import { gatedMlp, linear, rootMeanSquareNorm, rotate } from "./_layers.ts";
import { permuteRows } from "./_gather.ts";
import type { AttentionRun, VisionRuns } from "./vision_layout.ts";

/** Added to the mean square in the tower's norms, a constant of the model. */
const EPSILON = 1e-6;
/** Scores that one product may hold; more segments than fit are computed one after the other. */
const MOST_SCORES = 1 << 25;

/** What the vision tower takes. */
export interface VisionInputs {
  /** `(patches, 1176)` in the order of {@linkcode cutPatches}, all images joined. */
  readonly patches: tf.Tensor;
  /** For each row of the tower the patch, int32. */
  readonly order: tf.Tensor;
  /** For each patch the row, int32. */
  readonly rows: tf.Tensor;
  /** Cosines of the rotary angles, `(patches, 1, headWidth / 2)`, in the order of the rows. */
  readonly cosine: tf.Tensor;
  /** Sines of the same. */
  readonly sine: tf.Tensor;
  /** For each place of the frame order the row, int32. */
  readonly frameOrder: tf.Tensor;
  /** For each row its place in the frame order, int32. */
  readonly framePlaces: tf.Tensor;
}

/**
 * The vision tower: patches to visual tokens as wide as the text's.
 *
 * Rows stay in the order of {@linkcode planAttention} throughout, so that the attention of all windows
 * of one size is one product.
 *
 * Architecture: Bai et al., Qwen2.5-VL Technical Report, https://arxiv.org/abs/2502.13923
 *
 * @param forward weights
 * @param inputs patches of all images
 * @param runs which rows see each other
 * @returns `(visual tokens, D)` in the order of the tower's rows
 */
export function visionTower(
  forward: VisionLanguageForward,
  inputs: VisionInputs,
  runs: VisionRuns,
): tf.Tensor {
  const { config: { vision }, tap } = forward;
  const embedded = linear(forward, inputs.patches, "visual.patch_embed.proj");
  tap?.("vision.patch_embed", embedded);
  let x = permuteRows(embedded, inputs.order, inputs.rows);
  for (let i = 0; i < vision.depth; i++) {
    const block = `visual.blocks.${i}`;
    const segments = { ...runs, isFull: vision.fullAttentionBlocks.includes(i) };
    x = runLayer(forward, block, x, (given, input) => {
      const y = rootMeanSquareNorm(given, input, `${block}.norm1`, EPSILON);
      const seen = input.add(attention(given, y, `${block}.attn`, inputs, segments));
      const z = rootMeanSquareNorm(given, seen, `${block}.norm2`, EPSILON);
      return seen.add(gatedMlp(given, z, `${block}.mlp`));
    });
    tap?.(`vision.block.${i}`, x);
  }
  const tokens = mergePatches(forward, x);
  tap?.("vision.merger", tokens);
  return tokens;
}

/** Within windows, or within frames, for which rows change their order and come back. */
function attention(
  forward: VisionLanguageForward,
  x: tf.Tensor,
  module: string,
  { cosine, sine, frameOrder, framePlaces }: VisionInputs,
  { windows, frames, isFull }: VisionRuns & { readonly isFull: boolean },
): tf.Tensor {
  const { heads, hiddenSize } = forward.config.vision, [rows] = x.shape as [number];
  const qkv = linear(forward, x, `${module}.qkv`).reshape([rows, 3 * heads, hiddenSize / heads]);
  const [queriesAndKeys, values] = tf.split(qkv, [2 * heads, heads], 1);
  const all = tf.concat([rotate(queriesAndKeys!, cosine, sine), values!], 1);
  const seen = isFull
    ? permuteRows(
      attendSegments(permuteRows(all, frameOrder, framePlaces), frames, heads),
      framePlaces,
      frameOrder,
    )
    : attendSegments(all, windows, heads);
  return linear(forward, seen, `${module}.proj`);
}

/**
 * Attention inside segments of rows.
 *
 * @param qkv queries, keys and values, `(rows, 3 · heads, width)`
 * @param runs that cover all rows
 * @param heads of each
 * @returns `(rows, heads · width)`
 */
function attendSegments(
  qkv: tf.Tensor,
  runs: readonly AttentionRun[],
  heads: number,
): tf.Tensor {
  const width = qkv.shape[2]!;
  const seen: tf.Tensor[] = [];
  for (const { start, segments, length } of runs) {
    const most = Math.max(1, Math.floor(MOST_SCORES / (heads * length * length)));
    for (let done = 0; done < segments; done += most) {
      const count = Math.min(most, segments - done);
      const part = qkv.slice([start + done * length, 0, 0], [count * length, 3 * heads, width])
        .reshape([count, length, 3 * heads, width]).transpose([0, 2, 1, 3]);
      const [q, k, v] = tf.split(part, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const scores = tf.matMul(q.mul(width ** -0.5), k, false, true);
      const y = tf.matMul(tf.softmax(scores), v);
      seen.push(y.transpose([0, 2, 1, 3]).reshape([count * length, heads * width]));
    }
  }
  return seen.length === 1 ? seen[0]! : tf.concat(seen);
}

/**
 * Joins the patches of each visual token and projects them to the width of the text.
 *
 * @param forward weights
 * @param x `(patches, width)`, the patches of a token one after the other
 * @returns `(visual tokens, D)`
 */
export function mergePatches(forward: VisionLanguageForward, x: tf.Tensor): tf.Tensor {
  const { mergeSize, hiddenSize } = forward.config.vision, merged = hiddenSize * mergeSize ** 2;
  const y = rootMeanSquareNorm(forward, x, "visual.merger.ln_q", EPSILON).reshape([-1, merged]);
  const inner = linear(forward, y, "visual.merger.mlp.0");
  const activated = inner.mul(inner.mul(Math.SQRT1_2).erf().add(1)).mul(0.5);
  return linear(forward, activated, "visual.merger.mlp.2");
}
