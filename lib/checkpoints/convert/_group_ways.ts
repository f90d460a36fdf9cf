import { type OptimizerGroup, partOf, referenceGroups } from "./optimizer.ts";

type Shapes = ReadonlyMap<string, readonly number[]>;
/** Names of an optimiser's groups and of their parameters, in order. */
export type Way = readonly Pick<OptimizerGroup, "name" | "keys">[];

const PARTS = ["sensor_encoder", "action_expert"];

/**
 * Ways in which training programs put parameters into groups, likelier ones first. Sources: the
 * programs of the Python reference, and their guides for stage 2.
 *
 * @param shapes of all parameters that may be trained, in the order of the state dictionary
 * @param sizes of the groups; PyTorch keeps those without parameters
 */
export function* waysToGroup(shapes: Shapes, sizes: readonly number[]): Generator<Way> {
  for (const way of waysOf(shapes)) {
    const filled = way.filter(({ keys }) => keys.length > 0);
    if (filled.length !== sizes.filter((size) => size > 0).length) continue;
    yield sizes.map((size, g) => size > 0 ? filled.shift()! : { name: `group ${g}`, keys: [] });
  }
}

function* waysOf(shapes: Shapes): Generator<Way> {
  const keys = [...shapes.keys()];
  const [sensor, expert] = PARTS.map((part) => keys.filter((key) => partOf(key) === part));
  const both = [...sensor!, ...expert!];
  const pick = (chosen: readonly string[]) =>
    new Map(chosen.map((key) => [key, shapes.get(key)!] as const));
  for (const other of trainedOthers(keys.filter((key) => partOf(key) === "other"))) {
    const vision = other.filter(isVision), language = other.filter((key) => !isVision(key));
    const policy = referenceGroups(pick(both));
    yield [...policy, ...referenceGroups(pick(other))];
    if (vision.length > 0 && language.length > 0) {
      const visual = referenceGroups(pick(vision)).map(({ name, keys }) => ({
        name: name.replace("other", "vision"),
        keys,
      }));
      yield [...policy, ...visual, ...referenceGroups(pick(language))];
    }
    yield [{ name: "all", keys: [...other, ...both] }];
    yield [{ name: "all", keys: [...other, ...expert!, ...sensor!] }];
    yield [{ name: "other", keys: other }, { name: "policy", keys: both }];
  }
  yield referenceGroups(pick(expert!));
  yield [{ name: "all", keys: expert! }];
}

/**
 * What may be trained of a visual-language model, with its output layer and without: PyTorch's
 * `named_parameters()` counts a tied one with the embedding, and features do not pass through it.
 */
function* trainedOthers(other: readonly string[]): Generator<readonly string[]> {
  yield* trainedParts(other);
  const headless = other.filter((key) => !/(^|\.)lm_head\.weight$/.test(key));
  if (headless.length < other.length) yield* trainedParts(headless);
}

/** What may be trained of these: nothing, low-rank additions, layers, or all. */
function* trainedParts(other: readonly string[]): Generator<readonly string[]> {
  yield [];
  const lora = other.filter((key) => key.includes("lora_"));
  const base = other.filter((key) => !key.includes("lora_"));
  if (lora.length > 0) yield lora;
  if (base.length > 0) yield other;
  const language = base.filter((key) => !isVision(key));
  if (language.length < base.length) yield language;
  const layers = [...new Set(language.map(layerOf))].filter((layer) => layer >= 0)
    .sort((a, b) => b - a);
  for (const first of layers) yield language.filter((key) => layerOf(key) >= first);
}

/** Whether a key belongs to the tower that sees images; Qwen calls it `visual`. */
function isVision(key: string): boolean {
  return /(^|[._])(vision|visual)/.test(key);
}

/** Number of the layer of a language model that a key belongs to; -1 for other keys. */
function layerOf(key: string): number {
  return Number(/\.layers\.(\d+)\./.exec(key)?.[1] ?? -1);
}
