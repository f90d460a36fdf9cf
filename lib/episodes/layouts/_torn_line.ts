import type { Finding } from "../recording.ts";
import { openRandomAccess } from "../../formats/random_access_file.ts";

/** Enough for some 30 lines. */
const TAIL_BYTES = 8192;
/** Lines that the last one is compared with. */
const LINES = 20;

/**
 * Whether the last line of a robot log was cut short, as a killed recorder leaves it: it has no line
 * end, and either lacks fields, or its last number has fewer decimals than those above it and is out
 * of line with them. A complete last line that merely lacks its line end is not torn.
 */
export function endsInTornLine(path: string): boolean {
  using file = openRandomAccess(path);
  const start = Math.max(0, file.bytes - TAIL_BYTES);
  const tail = new TextDecoder().decode(file.read(start, file.bytes - start));
  if (tail === "" || /[\r\n]$/.test(tail)) return false;
  const lines = tail.split(/\r?\n/).slice(start > 0 ? 1 : 0);
  const last = lines.at(-1)!.split(",");
  const above = lines.slice(-1 - LINES, -1).map((line) => line.split(","));
  if (above.length === 0) return false;
  if (last.length < above.at(-1)!.length) return true;

  const texts = above.map((fields) => fields.at(-1)!.trim());
  const decimals = (text: string) => /\.(\d*)/.exec(text)?.[1]?.length ?? 0;
  const values = texts.map(Number).filter(Number.isFinite);
  if (values.length < 3 || decimals(last.at(-1)!) >= Math.min(...texts.map(decimals))) return false;
  const steps = values.slice(1).map((value, k) => Math.abs(value - values[k]!));
  return Math.abs(Number(last.at(-1)) - values.at(-1)!) > 3 * Math.max(...steps);
}

/** Says that the last line was left out. */
export function reportTornLine(where: string, findings: Finding[]): void {
  findings.push({
    severity: "warning",
    code: "robot.torn",
    where,
    message: "The file was cut short inside its last line, which is left out.",
  });
}
