import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../formats/atomic_write.ts";
import { writing } from "../formats/_write_error.ts";
import { Kernel } from "./kernel.ts";

/** A kernel that Jupyter can start. */
export interface KernelSpec {
  /** What `JUPYTER_PATH` must hold, so that Jupyter finds it. */
  readonly folder: string;
  /** `kernel.json` in it. */
  readonly file: string;
  /** Program and arguments; Jupyter puts a path for `{connection_file}`. */
  readonly argv: readonly string[];
  /** Whether the file was written; false if it was there as it should be. */
  readonly changed: boolean;
}

// It imports no packages: without the project's settings it starts at once.
const SCRIPT = new URL("../../scripts/jupyter_kernel.ts", import.meta.url);

/**
 * Describes Deno's kernel to Jupyter, in a folder of its own: nothing is installed for the user or the
 * system. Front ends see it as `Deno`, the kernel that the notebooks ask for.
 *
 * @param folder made if it is not there
 * @returns what was described; a second call changes nothing
 * @throws {Error} if it cannot be written
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { installKernelSpec } from "./mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * assert.deepEqual([1, 2].map(() => installKernelSpec(folder).changed), [true, false]);
 * ```
 */
export function installKernelSpec(folder: string): KernelSpec {
  const argv = [
    Deno.execPath(),
    "run",
    "-A",
    "--no-config",
    fileURLToPath(SCRIPT),
    "{connection_file}",
  ];
  const text = JSON.stringify(
    {
      argv,
      display_name: "Deno",
      language: "typescript",
      interrupt_mode: "message",
      env: { NO_COLOR: "1" },
    },
    null,
    2,
  ) + "\n";
  const place = join(folder, "kernels", "deno"), file = join(place, "kernel.json");
  const changed = textOf(file) !== text;
  if (changed) {
    makeFolder(place);
    writeFileAtomic(file, text);
  }
  return { folder, file, argv, changed };
}

/**
 * Starts a kernel as Jupyter would, and lets it compute something.
 *
 * @param spec of the kernel
 * @param options `signal` ends it
 * @throws {Error} if it does not start, or answers wrongly
 *
 * @example
 * ```ts
 * import { checkKernelSpec, installKernelSpec } from "./mod.ts";
 *
 * await checkKernelSpec(installKernelSpec(Deno.makeTempDirSync()));
 * ```
 */
export async function checkKernelSpec(
  { argv, folder }: KernelSpec,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  await using kernel = await Kernel.start({ argv, cwd: folder, ...options });
  const { error, messages } = await kernel.execute("console.log(6 * 7)", CHECK_SECONDS);
  const said = messages.find(({ type }) => type === "stream")?.content.text;
  if (error !== null || said !== "42\n") {
    throw new Error(
      `Cannot use Deno's kernel: 6 × 7 must be 42, current value is ${error ?? said ?? "nothing"}.`,
    );
  }
}

function makeFolder(path: string): void {
  try {
    writing(path, () => Deno.mkdirSync(path, { recursive: true }));
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotFound;
    if (!isNone) throw error;
    throw new Error(
      `Cannot make ${path}: a part of this path is no folder. Name another one.`,
      { cause: error },
    );
  }
}

const CHECK_SECONDS = 30;

function textOf(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}
