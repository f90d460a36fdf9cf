import { join, resolve } from "node:path";
import { VISUAL_MEMBER } from "../checkpoints/document.ts";
import { openCheckpoint, type OpenCheckpointOptions } from "../checkpoints/open.ts";
import { isFolder } from "../formats/_path.ts";
import { isRecord } from "../formats/_is_record.ts";
import { printable } from "../formats/printable.ts";
import { readAdapterSettings } from "../vision_language/adapter_file.ts";
import { adapterProblems } from "../vision_language/adapter_problems.ts";
import { readModelConfig } from "../vision_language/config.ts";
import type { VisualDescription } from "../vision_language/trained_changes.ts";
import { look } from "./_look.ts";
import { formatInspection } from "./format_inspection.ts";
import { inspect } from "./inspect.ts";
import type { InspectOptions } from "./inspection.ts";
import { KINDS } from "./kinds.ts";
import { adapter } from "./kinds/adapter.ts";
import { model } from "./kinds/model.ts";

/** Problems that are shown without being asked for all. */
const SHOWN = 10;

/** What a model's or an adapter's folder is checked for. */
export interface CheckModelFilesOptions extends InspectOptions {
  /** Folder of the model that an adapter belongs to. Default: layers and widths are not compared */
  readonly model?: string;
}

/** What a check of a model's or an adapter's folder found. */
export interface ModelFilesCheck {
  /** Whether it is whole, and its parts fit together. */
  readonly ok: boolean;
  /** Its absolute path. */
  readonly path: string;
  /** What it is. */
  readonly layout: "model" | "adapter";
  /** Bytes of its files. */
  readonly bytes: number;
  /** What is wrong, in words. */
  readonly problems: readonly string[];
  /** Tensors with NaN or infinite values. */
  readonly nonFinite: readonly string[];
  /** Whether these were looked for. */
  readonly valuesRead: boolean;
  /** What `inspect` says of it. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Whether a path is the folder of a model or of an adapter, by the names in it.
 *
 * @param path of anything
 * @returns null where it is neither
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { modelFilesLayout } from "./mod.ts";
 *
 * assert.equal(modelFilesLayout("data-fixtures/vision_language/model"), "model");
 * assert.equal(modelFilesLayout("data-fixtures/vision_language"), null);
 * ```
 */
export function modelFilesLayout(path: string): ModelFilesCheck["layout"] | null {
  if (!isFolder(path)) return null;
  const place = look(resolve(path));
  const kind = KINDS.find(({ claims }) => claims(place));
  return kind === model ? "model" : kind === adapter ? "adapter" : null;
}

/**
 * Checks the folder of a Qwen2.5-VL model, or of an adapter of one. Headers are read only, unless
 * statistics are asked for.
 *
 * @param path of anything
 * @param options the model of an adapter, statistics
 * @returns what was found; null where the path is neither
 * @throws {SyntaxError} when the `config.json` of the adapter's model is damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkModelFiles } from "./mod.ts";
 *
 * const fixtures = "data-fixtures/vision_language", model = `${fixtures}/model`;
 * assert((await checkModelFiles(model))!.ok);
 * assert((await checkModelFiles(`${fixtures}/lora/attn`, { model }))!.ok);
 * assert.equal(await checkModelFiles(fixtures), null);
 * ```
 */
export async function checkModelFiles(
  path: string,
  { model: base, ...options }: CheckModelFilesOptions = {},
): Promise<ModelFilesCheck | null> {
  const layout = modelFilesLayout(path);
  if (layout === null) return null;
  const found = await inspect(path, options);
  const problems = [...found.details.problems as string[]];
  if (layout === "adapter" && base !== undefined && problems.length === 0) {
    const tensors = new Map(found.tensors.map((tensor) => [tensor.name, tensor]));
    const config = readModelConfig(join(base, "config.json"));
    problems.push(...adapterProblems(readAdapterSettings(path).lora, tensors, config));
  }
  const nonFinite = found.tensors.filter(({ statistics }) =>
    statistics && statistics.nan + statistics.infinite > 0
  ).map(({ name }) => name);
  const { problems: _, ...details } = found.details;
  return {
    ok: problems.length === 0 && nonFinite.length === 0,
    path: found.path,
    layout,
    bytes: found.bytes,
    ...{ problems, nonFinite, valuesRead: options.stats ?? false, details },
  };
}

/**
 * What a check found, as people read it: the verdict, facts, what is wrong.
 *
 * @param check what was found
 * @param formatTable makes lines of rows of cells
 * @param options `all`: every problem; default the first 10
 * @returns lines; the first begins with `OK` or `NOT OK`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkModelFiles, formatModelFiles } from "./mod.ts";
 *
 * const check = await checkModelFiles("data-fixtures/vision_language/model");
 * assert.match(formatModelFiles(check!, (rows) => rows.join("\n")), /^OK: .*model: model, 354 kB/);
 * ```
 */
export function formatModelFiles(
  { ok, path, layout, bytes, problems, nonFinite, valuesRead, details }: ModelFilesCheck,
  formatTable: (rows: (string | number)[][]) => string,
  { all = false }: { readonly all?: boolean } = {},
): string {
  const values = valuesRead ? "all read" : "not read (--stats reads them)";
  const facts = formatInspection(
    {
      kind: layout,
      path: printable(path),
      bytes,
      tensors: [],
      keys: [],
      details: inWords({ ...details, values }),
    },
    (rows) => formatTable(rows.map((row) => row.map((cell) => printable(String(cell))))),
  );
  const wrong = [...problems, ...nonFinite.map((name) => `${name} has NaN or infinite values`)];
  const lines = wrong.slice(0, all ? undefined : SHOWN).map((each) => `✗ ${printable(each)}`);
  if (lines.length < wrong.length) {
    lines.push(`✗ … and ${wrong.length - lines.length} more (--verbose shows all)`);
  }
  return [`${ok ? "OK" : "NOT OK"}: ${facts}`, ...(lines.length > 0 ? [lines.join("\n")] : [])]
    .join("\n\n");
}

/** Details under names as people write them: `innerWidth` is `inner width`. */
function inWords(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => {
      const words = name.replace(
        /([a-z])([A-Z])/g,
        (_, end, start) => `${end} ${start.toLowerCase()}`,
      );
      return [words, isRecord(value) ? inWords(value) : value];
    }),
  );
}

/**
 * Compares the adapter in a checkpoint of stage 2 with the model that it adds to.
 *
 * @param path of the checkpoint, or of its run
 * @param folder of the model
 * @param options which checkpoint of a run
 * @returns what does not fit, in words
 * @throws {RangeError} when the checkpoint holds no adapter
 * @throws {SyntaxError} when either is damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { policyShapes, preset } from "../policies/mod.ts";
 * import { writeCheckpoint } from "../checkpoints/mod.ts";
 * import { checkpointAdapterProblems } from "./mod.ts";
 *
 * const config = preset("tiny", { fusion: "none" });
 * const tensors = new Map(policyShapes(config).map(({ key, shape }) => {
 *   const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.1);
 *   return [key, { dtype: "float32" as const, shape, data }];
 * }));
 * const path = `${Deno.makeTempDirSync()}/epoch-0001`;
 * await writeCheckpoint(path, { contents: { config, epoch: 1 }, tensors });
 * const model = "data-fixtures/vision_language/model";
 * assert.throws(() => checkpointAdapterProblems(path, model), /no adapter/);
 * ```
 */
export function checkpointAdapterProblems(
  path: string,
  folder: string,
  options: OpenCheckpointOptions = {},
): string[] {
  using checkpoint = openCheckpoint(path, options);
  const said = checkpoint.notes?.extra[VISUAL_MEMBER] as Partial<VisualDescription> | undefined;
  const lora = said?.lora;
  if (typeof lora?.targets !== "string" && !Array.isArray(lora?.targets)) {
    throw new RangeError(
      `Cannot compare ${path} with the model ${folder}: it should hold an adapter, current value is ` +
        "a checkpoint with no adapter. Leave --model out.",
    );
  }
  const stored = checkpoint.others()?.tensors ?? new Map();
  const tensors = new Map(
    [...stored].filter(([key]) => checkpoint.document !== null || key.includes(".lora_"))
      .map(([key, tensor]) => [key.replace(/^vl_model\./, ""), tensor]),
  );
  return adapterProblems(lora!, tensors, readModelConfig(join(folder, "config.json")));
}
