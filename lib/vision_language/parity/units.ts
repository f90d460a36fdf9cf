import { tf } from "../../engine/mod.ts";
import type { VisionLanguageForward } from "../forward_context.ts";
import { gatedMlp, linear, rootMeanSquareNorm } from "../_layers.ts";
import { layOutVision } from "../vision_layout.ts";
import { rotaryFrequencies } from "../rotary.ts";
import { mergePatches } from "../_vision_tower.ts";
import { ropePositions } from "../positions.ts";
import type { PatchGrid } from "../patches.ts";
import type { Recording } from "./_recording.ts";
import { checkVisionLayout, type ComparedModel, ropeDeltas } from "./cases.ts";
import { compareNumbers, EXACT, FLOAT32, type VisionLanguageCheck } from "./check.ts";

/** Layers that are recorded alone, by name. */
const LAYERS: Readonly<
  Record<string, (forward: VisionLanguageForward, x: tf.Tensor) => tf.Tensor>
> = {
  patch_embed: (forward, x) => linear(forward, x, "visual.patch_embed.proj"),
  rmsnorm: firstNorm,
  rmsnorm_small: firstNorm,
  mlp: (forward, x) => gatedMlp(forward, x, "model.layers.0.mlp"),
  merger: mergePatches,
};

function firstNorm(forward: VisionLanguageForward, x: tf.Tensor): tf.Tensor {
  const { normEpsilon } = forward.config.text;
  return rootMeanSquareNorm(forward, x, "model.layers.0.input_layernorm", normEpsilon);
}

/**
 * Compares single layers.
 *
 * @param recording of their inputs and outputs
 * @param model to compare
 * @returns one check per layer
 */
export async function checkUnits(
  recording: Recording,
  { config, weights }: ComparedModel,
): Promise<VisionLanguageCheck[]> {
  const checks: VisionLanguageCheck[] = [];
  for (const [name, layer] of Object.entries(LAYERS)) {
    const x = tf.tensor(recording.float32(`${name}.input`), [...recording.shape(`${name}.input`)]);
    const y = tf.tidy(() => layer({ config, weights }, x));
    const expected = recording.float32(`${name}.output`);
    checks.push(compareNumbers(["units", name], await y.data(), expected, FLOAT32));
    tf.dispose([x, y]);
  }
  return checks;
}

/** Sizes of the published model that the recording of real shapes is made with. */
const REAL = { mergeSize: 2, windowSize: 112, patchSize: 14 };
const REAL_IMAGE = 151655;
const VIEWS: Readonly<Record<string, readonly PatchGrid[]>> = {
  view_24x44: views(1, 24, 44),
  five_views_24x44: views(5, 24, 44),
  view_52x92: views(1, 52, 92),
  view_26x46: views(1, 26, 46),
};

function views(count: number, height: number, width: number): PatchGrid[] {
  return Array.from({ length: count }, () => ({ frames: 1, height, width }));
}

/**
 * Compares positions and windows at the sizes of the published model.
 *
 * @param recording of them
 * @returns one check per tensor
 */
export function checkRealShapes(recording: Recording): VisionLanguageCheck[] {
  const place = (key: string) => ["real_shapes", key] as const;
  const frequencies = [["text.inv_freq", 128, 1e6], ["vision.inv_freq", 40, 1e4]] as const;
  const checks = frequencies.map(([key, width, theta]) =>
    compareNumbers(place(key), rotaryFrequencies(width, theta), recording.read(key).data, FLOAT32)
  );
  for (const [view, grids] of Object.entries(VIEWS)) {
    const exact = (key: string, found: ArrayLike<number>) =>
      compareNumbers(place(`${view}.${key}`), found, recording.read(`${view}.${key}`).data, EXACT);
    checks.push(
      ...checkVisionLayout(
        layOutVision(grids, REAL),
        (key, found) => recording.has(`${view}.${key}`) ? [exact(key, found)] : [], // coordinates of single views
      ),
    );
    const { ids, mask } = realPrompt(grids);
    const batch = { size: 1, length: ids.length, ids, mask };
    const positions = ropePositions(batch, grids, { imageToken: REAL_IMAGE, mergeSize: 2 });
    checks.push(
      exact("position_ids", positions),
      exact("rope_delta", ropeDeltas({ ...batch, positions })),
    );
  }
  return checks;
}

/** 14 ordinary tokens, per image its start, tokens and end, 22 ordinary tokens. */
function realPrompt(grids: readonly PatchGrid[]) {
  const ids = Int32Array.from([
    ...new Array<number>(14).fill(0),
    ...grids.flatMap(({ height, width }) => [
      REAL_IMAGE - 3,
      ...new Array<number>(height * width / 4).fill(REAL_IMAGE),
      REAL_IMAGE - 2,
    ]),
    ...new Array<number>(22).fill(0),
  ]);
  return { ids, mask: new Uint8Array(ids.length).fill(1) };
}
