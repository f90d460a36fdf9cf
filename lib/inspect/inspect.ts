import { resolve } from "node:path";
import { look } from "./_look.ts";
import type { Inspection, InspectOptions } from "./inspection.ts";
import { KINDS } from "./kinds.ts";

/**
 * Says what a file or folder is and what is in it. Only headers are read, so that large files take
 * no longer than small ones, unless statistics are asked for.
 *
 * @param path of a file or folder of any kind that {@linkcode KINDS} lists
 * @param options statistics
 * @returns what is known
 * @throws {Deno.errors.NotFound} when there is nothing at the path
 * @throws {TypeError} when no kind knows it
 * @throws {SyntaxError} when it is damaged, naming file and place
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodeNpy } from "../formats/npy.ts";
 * import { inspect } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/force.npy`;
 * Deno.writeFileSync(path, encodeNpy({ data: new Float32Array([2.5, NaN, 3.5]) }));
 * const { kind, tensors } = await inspect(path, { stats: true });
 * assert.equal(kind, "npy");
 * assert.deepEqual([tensors[0]!.dtype, tensors[0]!.shape], ["float32", [3]]);
 * assert.deepEqual([tensors[0]!.statistics!.mean, tensors[0]!.statistics!.nan], [3, 1]);
 * await assert.rejects(inspect(`${path}.old`), /there is no such file or folder/);
 * ```
 */
export async function inspect(path: string, options: InspectOptions = {}): Promise<Inspection> {
  const place = look(resolve(path));
  const kind = KINDS.find(({ claims }) => claims(place));
  if (kind === undefined) {
    throw new TypeError(
      `Cannot inspect ${place.path}: it should be of a known kind, current value is a file that ` +
        `begins with ${hex(place.head) || "nothing"}. Known are:\n${
          KINDS.map(({ summary }) => `  ${summary}`).join("\n")
        }`,
    );
  }
  const { tensors, details, keys, bytes } = await kind.inspect(place, options);
  return {
    kind: kind.name,
    path: place.path,
    bytes: bytes ?? place.bytes,
    tensors,
    keys: keys ?? tensors.map(({ name }) => name),
    details,
  };
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
