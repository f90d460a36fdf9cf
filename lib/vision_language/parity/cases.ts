import { compile, tf } from "../../engine/mod.ts";
import { type BatchTensors, batchTensors, type PreparedBatch, visionRuns } from "../batch.ts";
import type { VisionLanguageConfig } from "../config.ts";
import { hiddenStates } from "../forward.ts";
import type { VisionLanguageForward } from "../forward_context.ts";
import { parameter } from "../_layers.ts";
import { pool, type Tap, TAPS } from "../pooling.ts";
import { type RotaryTables, visionRotary } from "../rotary.ts";
import { layOutVision, type VisionLayout } from "../vision_layout.ts";
import type { VisionRuns } from "../vision_layout.ts";
import type { Weights } from "../weights.ts";
import { batchOf } from "./_batch_of.ts";
import type { Recording } from "./_recording.ts";
import {
  BFLOAT16,
  BFLOAT16_MEAN,
  compareNumbers,
  EXACT,
  FLOAT32,
  type VisionLanguageCheck,
} from "./check.ts";

/** A model as it is compared: its weights in float32, and rounded to bfloat16. */
export interface ComparedModel {
  /** Sizes. */
  readonly config: VisionLanguageConfig;
  /** Weights in float32. */
  readonly weights: Weights;
  /** Weights in bfloat16; null to leave that comparison out. */
  readonly rounded: Weights | null;
}

/** How the model runs. */
export type VisionLanguageMode = "eager" | "compiled";

const POOLED: Readonly<Record<Tap, string>> = {
  "mean": "pool.mean_all",
  "image-mean": "pool.mean_image",
  "last-token": "pool.last_token",
};

/**
 * Compares every intermediate value of a recorded case.
 *
 * @param name of the case
 * @param recording of it
 * @param model to compare
 * @param mode op by op, or compiled
 * @returns one check per tensor
 */
export async function checkCase(
  name: string,
  recording: Recording,
  { config, weights, rounded }: ComparedModel,
  mode: VisionLanguageMode,
): Promise<VisionLanguageCheck[]> {
  const batch = batchOf(recording, config);
  const checks = mode === "eager" ? checkLayout(name, recording, batch, config) : [];
  const found = await run({ config, weights, precision: "float32" }, batch, mode);
  checks.push(...checkValues(name, recording, batch, found, config));
  if (rounded !== null && recording.names.some((key) => key.startsWith("bf16."))) {
    const narrow = await run({ config, weights: rounded, precision: "bfloat16" }, batch, mode);
    checks.push(...checkValues(name, recording, batch, narrow, config, "bf16."));
  }
  return checks.map((check) => ({ ...check, name: `${check.name}, ${mode}` }));
}

/** Runs the model and reads every value, arranged as the library has it. */
async function run(
  forward: VisionLanguageForward,
  batch: PreparedBatch,
  mode: VisionLanguageMode,
): Promise<Map<string, Float32Array>> {
  const all = (tensors: BatchTensors, runs: VisionRuns | null) => {
    const taps: Record<string, tf.Tensor> = {};
    const tap = (name: string, value: tf.Tensor) => taps[name] = value;
    const hidden = hiddenStates({ ...forward, tap }, tensors, runs);
    for (const kind of TAPS) {
      taps[POOLED[kind]] = pool(kind, hidden, tensors);
    }
    const head = forward.config.text.tiedEmbeddings ? "model.embed_tokens" : "lm_head";
    taps["logits.last_token"] = tf.matMul(
      taps["pool.last_token"]! as tf.Tensor2D,
      parameter(forward, `${head}.weight`) as tf.Tensor2D,
      false,
      true,
    );
    return taps;
  };
  const { precision = "float32" } = forward;
  const compiled = compile(all, { name: "vision_language", precision });
  const inputs = batchTensors(batch, forward.config);
  const runs = visionRuns(batch);
  const taps = mode === "compiled" ? compiled(inputs, runs) : tf.tidy(() => all(inputs, runs));
  const values = new Map<string, Float32Array>();
  for (const [key, tensor] of Object.entries(taps)) {
    values.set(key, await tensor.data() as Float32Array);
    tensor.dispose();
  }
  compiled.dispose();
  tf.dispose(inputs);
  return arranged(values, batch, forward.config);
}

/** Rows of the tower in the order of the library's windows, and visual tokens in that of the image. */
function arranged(
  values: Map<string, Float32Array>,
  { plan, grids }: PreparedBatch,
  { vision }: VisionLanguageConfig,
): Map<string, Float32Array> {
  const merged = values.get("vision.merger");
  if (merged === undefined || plan === null) return values;
  const unit = vision.mergeSize ** 2, { windowOrder } = layOutVision(grids, vision);
  const rowOf = (token: number) => plan.rows[token * unit]!;
  const inWindows = Int32Array.from(
    { length: plan.rows.length },
    (_, place) => rowOf(windowOrder[Math.floor(place / unit)]!) + place % unit,
  );
  for (const [key, value] of values) {
    if (/^vision\.block\./.test(key)) values.set(key, take(value, inWindows));
  }
  const tokens = windowOrder.map((token) => rowOf(token) / unit);
  values.set("vision.merger_window_order", take(merged, tokens));
  const inImages = Int32Array.from(tokens, (_, token) => rowOf(token) / unit);
  values.set("vision.image_features", take(merged, inImages));
  values.delete("vision.merger");
  return values;
}

function take(values: Float32Array, rows: Int32Array): Float32Array {
  const width = values.length / rows.length, result = new Float32Array(values.length);
  rows.forEach((row, i) => result.set(values.subarray(row * width, (row + 1) * width), i * width));
  return result;
}

function checkValues(
  name: string,
  recording: Recording,
  batch: PreparedBatch,
  found: ReadonlyMap<string, Float32Array>,
  config: VisionLanguageConfig,
  prefix = "",
): VisionLanguageCheck[] {
  const computed =
    /^(vision\.(patch_embed|block\.\d+|merger_window_order|image_features)|text\.(inputs_embeds|layer\.\d+|last_hidden_state)|pool\..*|logits\..*)$/;
  const keys = recording.names.filter((key) =>
    key.startsWith(prefix) && computed.test(key.slice(prefix.length))
  );
  return keys.map((key) => {
    const own = key.slice(prefix.length), expected = recording.float32(key);
    const isPadded = own.startsWith("text.");
    const width = isPadded ? config.text.hiddenSize : 1;
    const tolerance = prefix === "" ? FLOAT32 : own === "pool.mean_all" ? BFLOAT16_MEAN : BFLOAT16;
    return compareNumbers(
      [name, key],
      found.get(own) ?? [],
      expected,
      tolerance,
      isPadded ? (i) => batch.mask[Math.floor(i / width)] === 1 : undefined,
    );
  });
}

/** Positions, windows and rotary tables. */
function checkLayout(
  name: string,
  recording: Recording,
  batch: PreparedBatch,
  config: VisionLanguageConfig,
): VisionLanguageCheck[] {
  const exact = (key: string, found: ArrayLike<number>) =>
    compareNumbers([name, key], found, recording.read(key).data, EXACT);
  const checks = [
    exact("position_ids", batch.positions),
    exact("rope_deltas", ropeDeltas(batch)),
    ...checkTables(name, recording, "text", batch.textTables, batch.mask),
  ];
  if (batch.plan === null) return checks;
  const layout = layOutVision(batch.grids, config.vision);
  return [
    ...checks,
    ...checkVisionLayout(layout, (key, found) => [exact(`vision.${key}`, found)]),
    ...checkTables(
      name,
      recording,
      "vision",
      visionRotary(layout, config.vision.hiddenSize / config.vision.heads),
    ),
  ];
}

/** Order and bounds of windows. */
export function checkVisionLayout(
  layout: VisionLayout,
  compare: (key: string, found: ArrayLike<number>) => readonly VisionLanguageCheck[],
): VisionLanguageCheck[] {
  return [
    ...compare("patch_row_col", layout.coordinates),
    ...compare("window_index", layout.windowOrder),
    ...compare("cu_seqlens", layout.frameBounds),
    ...compare("cu_window_seqlens", layout.windowBounds),
  ];
}

/** Largest position + 1 − tokens, of each prompt: by how much later positions are ahead of the count. */
export function ropeDeltas(
  { size, length, mask, positions }: Pick<PreparedBatch, "size" | "length" | "mask" | "positions">,
): number[] {
  return Array.from({ length: size }, (_, row) => {
    let largest = 0, tokens = 0;
    for (let k = row * length; k < (row + 1) * length; k++) {
      tokens += mask[k]!;
      for (let axis = 0; axis < 3; axis++) {
        largest = Math.max(largest, positions[axis * size * length + k]!);
      }
    }
    return largest + 1 - tokens;
  });
}

/** The library repeats each row's angles for the second half of the head. */
function checkTables(
  name: string,
  recording: Recording,
  part: string,
  { angles, cosine, sine }: RotaryTables,
  mask?: Uint8Array,
): VisionLanguageCheck[] {
  return ([["cos", cosine], ["sin", sine]] as const).map(([key, table]) => {
    const twice = Float32Array.from(
      { length: 2 * table.length },
      (_, i) => table[Math.floor(i / (2 * angles)) * angles + i % angles]!,
    );
    const place = [name, `${part}.rotary_${key}`] as const;
    const counts = mask && ((i: number) => mask[Math.floor(i / (2 * angles))] === 1);
    return compareNumbers(place, twice, recording.read(place[1]).data, FLOAT32, counts);
  });
}
