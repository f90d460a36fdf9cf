import { join, normalize } from "node:path";

/** What an installation holds; written last, so that a folder with one is whole. */
export interface Manifest {
  readonly format: 1;
  readonly version: string;
  readonly platform: string;
  readonly kind: "cpu" | "cuda";
  readonly wheels: readonly { readonly file: string; readonly sha256: string }[];
  /** Path inside the folder, and size in bytes. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** ISO 8601. */
  readonly installedAt: string;
}

/** File name of the manifest. */
export const MANIFEST = "install.json";

/** Name of the folder of one installation. */
export function installName(version: string, platform: string, kind: "cpu" | "cuda"): string {
  return `${version}-${platform}-${kind}`;
}

/**
 * Reads the manifest of an installation and compares the size of every file with it.
 *
 * @returns the manifest, or in words why the folder does not count as an installation
 */
export async function checkInstall(folder: string): Promise<Manifest | string> {
  let manifest: Manifest;
  try {
    const parsed: unknown = JSON.parse(await Deno.readTextFile(join(folder, MANIFEST)));
    if (!isManifest(parsed)) return `${MANIFEST} is not one of format 1`;
    manifest = parsed;
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? `it has no ${MANIFEST}`
      : `${MANIFEST} cannot be read (${(error as Error).message})`;
  }
  for (const { path, bytes } of manifest.files) {
    let size: number;
    try {
      size = (await Deno.stat(join(folder, path))).size;
    } catch (error) {
      return `${path} cannot be read (${(error as Error).message})`;
    }
    if (size !== bytes) return `${path} should hold ${bytes} bytes, current value is ${size}`;
  }
  return manifest;
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { format, version, platform, kind, files, wheels } = value as Record<string, unknown>;
  return format === 1 && typeof version === "string" && typeof platform === "string" &&
    (kind === "cpu" || kind === "cuda") && Array.isArray(wheels) && Array.isArray(files) &&
    files.length > 0 &&
    files.every((file) =>
      typeof file?.path === "string" && Number.isSafeInteger(file.bytes) && isInside(file.path)
    );
}

/** Whether a path from an archive or a manifest stays inside the folder it belongs to. */
export function isInside(path: string): boolean {
  return path !== "" && !/[\\\0]/.test(path) && !path.startsWith("/") &&
    normalize(path) === path && !path.split("/").includes("..");
}
