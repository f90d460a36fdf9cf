import { fileURLToPath } from "node:url";

/** Path of a recorded pickle. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../data-fixtures/formats/pickle/${name}`, import.meta.url));
}

/** A recorded list of pickles, in hexadecimal. */
export function hexFixtures(name: string): Map<string, Uint8Array<ArrayBuffer>> {
  const texts: Record<string, string> = JSON.parse(Deno.readTextFileSync(fixture(name)));
  return new Map(Object.entries(texts).map(([key, hex]) => [key, Uint8Array.fromHex(hex)]));
}
