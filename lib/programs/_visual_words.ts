/** Visual features and their model, for people. */
import type { FeatureIdentity } from "../features/mod.ts";
import { formatRate } from "./_format_rate.ts";
import type { VisualTuning } from "./visual_tuning.ts";

/**
 * What of a visual-language model is trained, and how.
 *
 * @param tuning settings
 * @param parameters trained numbers of the model; null where they are not known
 * @returns a line
 */
export function tuningText(tuning: VisualTuning, parameters: number | null): string {
  const { parts, lora, unfreezeLastN, textLearningRate, visionLearningRate } = tuning;
  const layers = unfreezeLastN === 1 ? "last layer" : `last ${unfreezeLastN} layers`;
  const how = parts === "lora"
    ? `rank ${lora.rank}, alpha ${lora.alpha}`
    : unfreezeLastN === 0
    ? "all of it"
    : layers;
  return [
    `${parts}, ${how}`,
    ...(parameters === null ? [] : [`${parameters.toLocaleString("en")} parameters`]),
    `learning rate ${formatRate(textLearningRate)}`,
    ...(parts === "full" && unfreezeLastN === 0
      ? [`of the vision tower ${formatRate(visionLearningRate)}`]
      : []),
  ].join(", ");
}

/**
 * What makes visual features.
 *
 * @param features name and identity, as a run records them
 * @returns a line; null where it is not known
 */
export function featuresText(features: unknown): string | null {
  const { name, identity } = (features ?? {}) as {
    readonly name?: unknown;
    readonly identity?: Partial<FeatureIdentity>;
  };
  if (typeof name !== "string") return null;
  const { model, revision, views } = identity ?? {};
  const of = model === undefined || model === name
    ? ""
    : ` of ${model}${revision === undefined ? "" : ` ${revision.slice(0, 12)}`}`;
  return `${name}${of}${Array.isArray(views) ? `, ${views.join(" ")}` : ""}`;
}
