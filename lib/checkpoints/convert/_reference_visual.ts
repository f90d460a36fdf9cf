/** The visual-language model in the state that the Python reference's second stage saves whole. */
import type { JsonValue } from "../../features/canonical_json.ts";
import { toFloat32 } from "../../formats/bfloat16.ts";
import { shapeText } from "../../formats/_tensor_dtype.ts";
import type { StoredTensor, TensorInput } from "../../formats/tensor_types.ts";
import { adapterKey } from "../../vision_language/adapter_problems.ts";
import { loraModules, loraShapes } from "../../vision_language/lora.ts";
import type { ModelFolder } from "../../vision_language/model_folder.ts";
import { libraryName, publishedName } from "../../vision_language/tensor_names.ts";
import type { VisualDescription } from "../../vision_language/trained_changes.ts";
import { fullTensors, loraTensors } from "../../vision_language/trained_tensors.ts";
import { listNames } from "../_describe_mismatch.ts";
import { VISUAL_MEMBER } from "../document.ts";
import { KEPT, type PortableCheckpoint } from "./_portable.ts";
import { MODEL, readInput } from "./_visual.ts";
import { readOptimizer } from "./optimizer.ts";

/** What a model is known by. */
export interface KnownModel {
  readonly folder: ModelFolder;
  readonly base: VisualDescription["base"];
}

/** Scale and dropout, which no file of the reference holds: the defaults of its programs. */
const ALPHA = 32, DROPOUT = 0.05;
const LAYER = /^model\.layers\.(\d+)\./;
const LM_HEAD = "lm_head.weight", EMBEDDING = "model.embed_tokens.weight";

/** Tensors of the model in a state: matrices of an adapter, and its own by published name. */
interface ModelState {
  readonly lora: ReadonlyMap<string, readonly [key: string, tensor: TensorInput]>;
  readonly own: ReadonlyMap<string, readonly [key: string, tensor: TensorInput]>;
}

/**
 * Takes the frozen model out of a reference's checkpoint and leaves what was trained of it, as a second
 * stage here saves it. Frozen tensors are compared with the model, bit by bit.
 *
 * @param path for messages
 * @param checkpoint that holds the model's state, or what was trained of it
 * @param model that it was made from
 * @param alpha of its adapter. Default: the reference's 32
 * @param known what the checkpoint itself says was trained
 * @throws {RangeError} when the model is another one
 */
export function withoutBase(
  path: string,
  checkpoint: PortableCheckpoint,
  { folder, base }: KnownModel,
  alpha: number | undefined,
  known: VisualDescription | null,
): PortableCheckpoint {
  const state = stateOf(path, checkpoint.others),
    remarks = checkpoint.remarks.filter((text) => !text.endsWith(KEPT));
  const changed = [...state.own].filter(([name, [, tensor]]) =>
    !isSame(tensor, baseTensor(path, folder, name, tensor))
  ).map(([name]) => name);
  if (known === null && state.lora.size === 0 && changed.length === 0) {
    remarks.push(
      `${path}: its visual-language model is ${folder.path} unchanged; it is left out.`,
    );
    return { ...checkpoint, others: new Map(), remarks };
  }
  if (state.lora.size > 0 && changed.length > 0) {
    throw new RangeError(
      `Cannot convert ${path}: beside an adapter its model should be ${folder.path}, current value ` +
        `differs in ${changed.length} of ${state.own.size} tensors: ${
          listNames(changed)
        }. Name with --model the model that the adapter was trained with.`,
    );
  }
  const description: VisualDescription = known !== null
    ? known
    : state.lora.size > 0
    ? loraDescription(path, state.lora, { folder, base }, alpha, remarks)
    : { finetune: "full", base, unfreezeLastN: unfrozen(changed, folder.config.text.layers) };
  const kept = keptTensors(path, state, description, folder);
  const renamed = new Map(kept.map(([stored, [key]]) => [key, stored]));
  const others = new Map(kept.map(([stored, [, tensor]]) => [stored, float32(tensor)]));
  remarks.push(
    `${path}: of its visual-language model ${others.size} trained tensors are kept; the others are ` +
      `those of ${folder.path}, which the checkpoint names by its digest ${
        base.digest.slice(0, 12)
      }.`,
  );
  const { contents, training } = checkpoint;
  return {
    ...checkpoint,
    ...{ others, remarks },
    contents: {
      ...contents,
      trainingStage: contents.trainingStage ?? "stage2",
      optimizer: withNames(path, contents.optimizer ?? null, renamed),
      extra: { ...contents.extra, [VISUAL_MEMBER]: description as unknown as JsonValue },
    },
    training: new Map([...training].map(([name, tensor]) => {
      const dot = name.indexOf("."), key = name.slice(dot + 1);
      return [`${name.slice(0, dot + 1)}${renamed.get(key) ?? key}`, tensor];
    })),
  };
}

/**
 * Adds the frozen model to what was trained of it, under the names of the Python reference's state.
 *
 * @param checkpoint of a second stage
 * @param description of what was trained
 * @param folder of the model
 */
export function withBase(
  checkpoint: PortableCheckpoint,
  { finetune, lora }: VisualDescription,
  { tensors, config }: ModelFolder,
): PortableCheckpoint {
  const isLora = finetune === "lora";
  const modules = new Set(isLora ? loraModules(config, lora!.targets).map(({ name }) => name) : []);
  const all = new Map<string, TensorInput>(tensors);
  const embedding = tensors.get(EMBEDDING);
  if (config.text.tiedEmbeddings && embedding !== undefined) {
    const trained = checkpoint.others.get(`${MODEL}${libraryName(EMBEDDING)}`);
    all.set(LM_HEAD, trained ?? embedding);
  }
  const others = new Map<string, TensorInput>();
  for (const [name, tensor] of all) {
    const [, module, part] = /^(.+)\.(weight|bias)$/.exec(name)!;
    const inner = modules.has(module!) ? `${module}.base_layer.${part}` : name;
    others.set(`${MODEL}${isLora ? "base_model.model." : ""}${libraryName(inner)}`, tensor);
  }
  return { ...checkpoint, others: new Map([...others, ...checkpoint.others]) };
}

function stateOf(path: string, others: PortableCheckpoint["others"]): ModelState {
  const lora = new Map<string, readonly [string, TensorInput]>();
  const own = new Map<string, readonly [string, TensorInput]>();
  for (const [key, tensor] of others) {
    const [, rest] = /^(?:(?:module|_orig_mod|model)\.)*vl_model\.(.+)$/.exec(key) ?? [];
    if (rest === undefined) {
      throw new RangeError(
        `Cannot convert ${path} with --model: beside its policy it should hold vl_model alone, current ` +
          `value is ${key}. Leave --model out, which keeps all as it is.`,
      );
    }
    const matrix = adapterKey(rest);
    const name = matrix ?? publishedName(
      rest.replace(/^base_model\.model\./, "").replace(/\.base_layer\.(weight|bias)$/, ".$1"),
    );
    const group = matrix === undefined ? own : lora, before = group.get(name);
    if (before !== undefined) {
      throw new SyntaxError(
        `Cannot convert ${path}: its keys should name each tensor once, current value is ${key} and ` +
          `${before[0]}, which are one. Remove one of them, or save the checkpoint again.`,
      );
    }
    group.set(name, [key, tensor]);
  }
  return { lora, own };
}

function baseTensor(
  path: string,
  { tensors, config, path: model }: ModelFolder,
  name: string,
  { shape }: TensorInput,
): StoredTensor {
  const isTied = name === LM_HEAD && config.text.tiedEmbeddings;
  const found = tensors.get(isTied ? EMBEDDING : name);
  if (found !== undefined && String(found.shape) === String(shape)) return found;
  throw new RangeError(
    `Cannot convert ${path}: its visual-language model should be ${model}, current value has ${name} ` +
      `${shapeText(shape)}${
        found === undefined ? "" : ` instead of ${shapeText(found.shape)}`
      }. Name with --model the model that it was trained with.`,
  );
}

function isSame(a: TensorInput, b: StoredTensor): boolean {
  const left = readInput(a), right = b.read();
  if (left.dtype === right.dtype) {
    const [x, y] = [left.data, right.data] as [Uint16Array, Uint16Array];
    return x.every((value, i) => Object.is(value, y[i]));
  }
  const x = toFloat32(left), y = toFloat32(right);
  return x.every((value, i) => value === y[i]);
}

function loraDescription(
  path: string,
  lora: ModelState["lora"],
  { folder: { config }, base }: KnownModel,
  alpha: number | undefined,
  remarks: string[],
): VisualDescription {
  const found = new Set([...lora.keys()].map((key) => /^lora\.(.+)\.lora_[AB]$/.exec(key)![1]!));
  const names = [...found].map(libraryName);
  const short = [...new Set(names.map((name) => name.slice(name.lastIndexOf(".") + 1)))].sort();
  const [, [, first]] = [...lora].find(([key]) => key.endsWith("lora_A")) ?? [...lora][0]!;
  const rank = first.shape[0] ?? 0;
  const hit = new Set(loraModules(config, short).map(({ name }) => name));
  const targets = hit.size === found.size && hit.isSupersetOf(found) ? short : names;
  const shapes = loraShapes(config, { rank, targets });
  const wrong = [...lora].find(([key, [, { shape }]]) => String(shapes[key]) !== String(shape));
  const lacking = Object.keys(shapes).find((key) => !lora.has(key));
  if (wrong !== undefined || lacking !== undefined) {
    throw new RangeError(
      `Cannot convert ${path}: its adapter should have pairs of matrices of one rank for layers of ` +
        `the model, current value ${
          wrong === undefined
            ? `lacks ${lacking}`
            : `has ${wrong[1][0]} ${shapeText(wrong[1][1].shape)}, rank ${rank} elsewhere`
        }. Is --model the one that it was trained with?`,
    );
  }
  if (alpha === undefined) {
    remarks.push(
      `${path}: nobody named the scale of its adapter; alpha ${ALPHA}, the Python reference's, is ` +
        "assumed. If it is another, say so with --lora-alpha.",
    );
  }
  return {
    finetune: "lora",
    base,
    lora: { rank, alpha: alpha ?? ALPHA, dropout: DROPOUT, targets },
  };
}

/** Layers from the end that hold all that changed; 0 for all of the model. */
function unfrozen(changed: readonly string[], layers: number): number {
  const numbers = changed.map((name) => Number(LAYER.exec(name)?.[1] ?? -1));
  const first = Math.min(...numbers);
  return first < 0 ? 0 : layers - first;
}

type Kept = readonly [stored: string, found: readonly [key: string, tensor: TensorInput]];

function keptTensors(
  path: string,
  { lora, own }: ModelState,
  { finetune, lora: settings, unfreezeLastN }: VisualDescription,
  { config }: ModelFolder,
): Kept[] {
  const isLora = finetune === "lora";
  const wanted = isLora ? loraTensors(config, settings!) : fullTensors(config, unfreezeLastN ?? 0);
  return wanted.map(({ key, stored }): Kept => {
    const found = isLora ? lora.get(key) : own.get(key.slice(MODEL.length));
    if (found !== undefined) return [stored, found];
    throw new RangeError(
      `Cannot convert ${path}: its visual-language model should be whole, current value lacks ` +
        `${stored}. Save the whole model's state_dict().`,
    );
  });
}

/** Trained tensors are float32 here; bfloat16 is widened, which keeps every number. */
function float32(tensor: TensorInput): TensorInput {
  if (tensor.dtype === "float32") return tensor;
  const { shape } = tensor;
  return {
    ...{ dtype: "float32", shape },
    read: () => ({ dtype: "float32", shape, data: toFloat32(readInput(tensor)) }),
  };
}

function withNames(
  path: string,
  value: JsonValue,
  renamed: ReadonlyMap<string, string>,
): JsonValue {
  const record = readOptimizer(path, value);
  if (record === undefined) return value;
  const groups = record.groups.map((group) => ({
    ...group,
    keys: group.keys.map((key) => renamed.get(key) ?? key),
  }));
  return { ...record, groups } as unknown as JsonValue;
}
