import process from "node:process";

/**
 * Peak resident memory of this process.
 *
 * @returns bytes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { peakRss } from "./mod.ts";
 *
 * assert(peakRss() > 1e7);
 * ```
 */
export function peakRss(): number {
  if (Deno.build.os === "linux") {
    // getrusage() would begin with the memory of the process that started this one.
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
