/** Records of `.wandb` files: wandb/proto/wandb_internal.proto, whose numbers of fields these are. */
import type { JsonValue } from "../../features/canonical_json.ts";
import type { MetricsRecord } from "./metrics_log.ts";
import { bytesField, fieldsOf, textField, varintField } from "./_protobuf.ts";

/** Any release that knows this format may read it. */
const PRODUCER = "trocar", MIN_CONSUMER = "0.12.0";
/** The metric that curves are drawn over. */
export const STEP_METRIC = "global_step";

/** Of a record. */
const HISTORY = 2, SUMMARY = 3, CONFIG = 5, METRIC = 12, RUN = 17, EXIT = 18, HEADER = 21;
/** Of an item of history, summary or configuration. */
const KEY = 1, NESTED_KEY = 2, VALUE_JSON = 16;
/** Of a run. */
const START_TIME = 17;

/** Names and values of a configuration. */
export type WandbConfig = Readonly<Record<string, JsonValue>>;

/** What a run is called, and when it began. */
export interface WandbIdentity {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly start: number;
}

/** First record of a file. */
export function headerRecord(): number[] {
  return bytesField(
    HEADER,
    bytesField(1, [...textField(1, PRODUCER), ...textField(2, MIN_CONSUMER)]),
  );
}

/** What the run is. */
export function runRecord(
  { id, project, name, start }: WandbIdentity,
  config: WandbConfig,
): number[] {
  return bytesField(RUN, [
    ...textField(1, id),
    ...textField(3, project),
    ...bytesField(4, configItems(config)),
    ...textField(8, name),
    ...bytesField(START_TIME, [
      ...varintField(1, Math.floor(start / 1000)),
      ...varintField(2, Math.round(start % 1000 * 1e6)),
    ]),
  ]);
}

/** A changed configuration. */
export function configRecord(config: WandbConfig): number[] {
  return bytesField(CONFIG, configItems(config));
}

/** Tells that a metric is drawn over the optimiser's steps. */
export function metricRecord(name: string): number[] {
  const defined = varintField(3, 1), isSynced = varintField(1, 1);
  return bytesField(METRIC, [
    ...textField(1, name),
    ...(name === STEP_METRIC
      ? bytesField(6, defined)
      : [...textField(4, STEP_METRIC), ...bytesField(6, [...isSynced, ...defined])]),
  ]);
}

/** The last values of metrics; one that is missing leaves the last one standing. */
export function summaryRecord(values: MetricsRecord): number[] {
  const present = Object.entries(values).filter(([, value]) => value !== null);
  return bytesField(SUMMARY, items(Object.fromEntries(present), 1, NESTED_KEY));
}

/** A row of the history. */
export function historyRecord(row: number, values: MetricsRecord): number[] {
  return bytesField(HISTORY, [
    ...items({ ...values, _step: row }, 1, NESTED_KEY),
    ...bytesField(2, varintField(1, row)),
  ]);
}

/** The end of the run. */
export function exitRecord(exitCode: number, seconds: number): number[] {
  return bytesField(EXIT, [...varintField(1, exitCode), ...varintField(2, Math.round(seconds))]);
}

/** What a record that was read says, as far as a run that goes on needs it. */
export type ReadRecord =
  | { readonly kind: "history"; readonly step: number | null; readonly names: readonly string[] }
  | { readonly kind: "run"; readonly start: number | null }
  | { readonly kind: "exit" | "other" };

/**
 * Reads a record.
 *
 * @throws {SyntaxError} when it is damaged
 */
export function readRecord(data: Uint8Array): ReadRecord {
  for (const { field, value } of fieldsOf(data)) {
    if (!(value instanceof Uint8Array)) continue;
    if (field === HISTORY) return { kind: "history", ...readHistory(value) };
    if (field === RUN) return { kind: "run", start: readStart(value) };
    if (field === EXIT) return { kind: "exit" };
  }
  return { kind: "other" };
}

function readHistory(message: Uint8Array): { step: number | null; names: string[] } {
  const decoder = new TextDecoder(), names: string[] = [];
  let step: number | null = null;
  for (const { field, value } of fieldsOf(message)) {
    if (field !== 1 || !(value instanceof Uint8Array)) continue;
    let name = "", json = "";
    for (const part of fieldsOf(value)) {
      if (!(part.value instanceof Uint8Array)) continue;
      if (part.field === NESTED_KEY) name = decoder.decode(part.value);
      if (part.field === VALUE_JSON) json = decoder.decode(part.value);
    }
    names.push(name);
    if (name === STEP_METRIC) step = Number(json);
  }
  return { step, names };
}

function readStart(message: Uint8Array): number | null {
  const time = [...fieldsOf(message)].find(({ field }) => field === START_TIME)?.value;
  if (!(time instanceof Uint8Array)) return null;
  const parts = new Map([...fieldsOf(time)].map(({ field, value }) => [field, Number(value)]));
  return 1000 * (parts.get(1) ?? 0) + (parts.get(2) ?? 0) / 1e6;
}

function configItems(config: WandbConfig): number[] {
  return items(config, 1, KEY);
}

function items(values: Readonly<Record<string, unknown>>, field: number, key: number): number[] {
  return Object.entries(values).flatMap(([name, value]) =>
    bytesField(field, [...textField(key, name), ...textField(VALUE_JSON, json(value))])
  );
}

/** As Python writes it: numbers that are not finite have names; metrics hold them as text. */
function json(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return typeof value === "string" && /^(NaN|-?Infinity)$/.test(value)
    ? value
    : JSON.stringify(value) ?? "null";
}
