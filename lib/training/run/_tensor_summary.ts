/** Summaries that TensorBoard's plugins show: tensors with the plugin's name (tensorboard/compat/proto). */
import { bytesField, textField, varintField } from "./_protobuf.ts";
import type { BinnedValues } from "./event_file.ts";

const DT_DOUBLE = 2, DT_STRING = 7; // types.proto

/** Field `summary` of an event. */
export function summaryOf(
  tag: string,
  plugin: "histograms" | "text",
  tensor: readonly number[],
): number[] {
  const metadata = bytesField(1, textField(1, plugin));
  const value = [...textField(1, tag), ...bytesField(8, tensor), ...bytesField(9, metadata)];
  return bytesField(5, bytesField(1, value));
}

/** Rows of lower edge, upper edge, count. */
export function histogramTensor(name: string, { edges, counts }: BinnedValues): number[] {
  const bins = counts.length;
  const bad = (what: string, found: unknown) =>
    new RangeError(
      `Cannot write histogram ${name}: it must have ${what}, current value is ${found}.`,
    );
  if (bins === 0) throw bad("bins", "none");
  if (edges.length !== bins + 1) throw bad(`${bins + 1} edges`, edges.length);
  const rows = new Float64Array(3 * bins);
  for (let i = 0; i < bins; i++) {
    const low = edges[i]!, high = edges[i + 1]!, count = counts[i]!;
    if (!(low < high && Number.isFinite(high - low))) {
      throw bad("finite edges that increase", `${low}, ${high}`);
    }
    if (!(count >= 0 && Number.isFinite(count))) throw bad("counts of at least 0", count);
    rows.set([low, high, count], 3 * i);
  }
  return [
    ...varintField(1, DT_DOUBLE),
    ...shape(bins, 3),
    ...bytesField(4, new Uint8Array(rows.buffer)), // little-endian, as processors are today
  ];
}

/** One text. */
export function textTensor(text: string): number[] {
  return [...varintField(1, DT_STRING), ...shape(), ...textField(8, text)];
}

function shape(...lengths: number[]): number[] {
  return bytesField(2, lengths.flatMap((length) => bytesField(2, varintField(1, length))));
}
