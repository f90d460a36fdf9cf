/** Declares a test once per engine that every machine has, and on TensorFlow where it is installed. */
import { startEngine } from "trocar/engine";
import { hasNative } from "../engine/_native.ts";

export function onEngines(name: string, test: (engine: string) => void | Promise<void>): void {
  for (const engine of ["wasm", "tensorflow"] as const) {
    const ignore = engine === "tensorflow" && !hasNative;
    Deno.test({
      name: `${name} on ${engine}${ignore ? " (TensorFlow is missing: deno task setup)" : ""}`,
      ignore,
      fn: async () => {
        await startEngine({ engine, install: false, quiet: true });
        await test(engine);
      },
    });
  }
}

/** Path of a file below data-fixtures. */
export function fixturePath(path: string): string {
  return decodeURIComponent(new URL(`../../data-fixtures/${path}`, import.meta.url).pathname);
}
