import { join } from "node:path";
import { cacheFolder } from "./cache_folder.ts";
import { downloadWheel, PIP } from "./_download.ts";
import type { InstallOptions } from "./install.ts";
import { InstallError } from "./install_error.ts";
import type { TensorFlowLocation } from "./locate.ts";
import { FileLock } from "./_lock.ts";
import { checkInstall, installName, MANIFEST, type Manifest } from "./_manifest.ts";
import { currentPlatform } from "./_platform.ts";
import { installedLocation } from "./_search.ts";
import { assertSpace, noSpace } from "./_space.ts";
import { unpackWheel, verifyWheel } from "./_unpack.ts";
import type { Wheel } from "./_wheel.ts";
import { TENSORFLOW_VERSION, wheelsFor } from "./_wheels.ts";

/** What {@linkcode runInstall} works with; what is left out is the product's. */
export interface InstallSettings extends InstallOptions {
  readonly cache?: string;
  readonly platform?: string;
  readonly wheels?: readonly Wheel[];
  readonly pip?: readonly string[];
  /** Milliseconds between two signs of life of the lock. */
  readonly heartbeat?: number;
}

/** Folders in which an installation is prepared; any that is found under the lock is a leftover. */
const PARTIAL = /^\.partial-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Files that are written under this name first, then linked or renamed. */
const DRAFT = /^(install\.lock|proofs\.json)\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Installs TensorFlow as {@linkcode installTensorFlow} describes it. */
export async function runInstall(settings: InstallSettings): Promise<TensorFlowLocation> {
  const platform = settings.platform ?? currentPlatform();
  const kind = settings.cuda === true ? "cuda" : "cpu";
  const wheels = settings.wheels ?? wheelsFor(platform, kind === "cuda");
  if (wheels === undefined) throw unsupported(platform, kind);
  const root = join(settings.cache ?? cacheFolder(), "tensorflow");
  const target = join(root, installName(TENSORFLOW_VERSION, platform, kind));
  const whole = async () => {
    const state = await checkInstall(target);
    return typeof state === "string" ? undefined : installedLocation(target, state, platform);
  };
  if (settings.force !== true) {
    const present = await whole();
    if (present !== undefined) return present;
  }
  settings.signal?.throwIfAborted();
  try {
    await Deno.mkdir(root, { recursive: true });
    let waited = false;
    await using lock = await FileLock.acquire(join(root, "install.lock"), {
      signal: settings.signal,
      heartbeat: settings.heartbeat,
      onWait: ({ pid, host, isGone }) => {
        waited = true;
        const item = isGone
          ? `process ${pid} on ${host} was broken off; its lock is taken over in a few seconds`
          : `process ${pid} on ${host} is setting up`;
        settings.onProgress?.({ stage: "wait", item, done: 0, total: 0, rate: 0 });
      },
    });
    if (settings.force !== true || waited) {
      const present = await whole();
      if (present !== undefined) return present;
    }
    await removeLeftovers(root);
    await assertSpace(root, neededBytes(wheels));
    const partial = join(root, `.partial-${lock.token}`);
    await Deno.mkdir(partial);
    try {
      const fresh = await prepare(partial, wheels, settings, { platform, kind });
      await lock.assertHeld();
      settings.signal?.throwIfAborted();
      await moveIntoPlace(fresh, target, join(partial, "replaced"));
    } finally {
      await removeTree(partial);
    }
  } catch (error) {
    throw explain(error, root);
  }
  const present = await whole();
  if (present !== undefined) return present;
  const state = await checkInstall(target);
  throw new InstallError("bad-wheel", `Cannot use ${target} after installing it: ${state}.`);
}

/** Downloads and unpacks everything into a folder of its own; the manifest comes last. */
async function prepare(
  partial: string,
  wheels: readonly Wheel[],
  settings: InstallSettings,
  { platform, kind }: { platform: string; kind: "cpu" | "cuda" },
): Promise<string> {
  const { onProgress, signal } = settings;
  const fresh = join(partial, "fresh"), download = join(partial, "download");
  await Deno.mkdir(fresh);
  const files: { path: string; bytes: number }[] = [];
  for (const wheel of wheels) {
    signal?.throwIfAborted();
    const options = { pip: settings.pip ?? PIP, onProgress, signal };
    const path = await downloadWheel(wheel, download, options);
    await verifyWheel(path, wheel, onProgress, signal);
    files.push(...await unpackWheel(path, wheel, fresh, onProgress, signal));
    // One wheel at a time, so that the disk never holds them all.
    await removeTree(download);
  }
  const manifest: Manifest = {
    format: 1,
    version: TENSORFLOW_VERSION,
    platform,
    kind,
    wheels: wheels.map(({ file, sha256 }) => ({ file, sha256 })),
    files,
    installedAt: new Date().toISOString(),
  };
  {
    using file = await Deno.open(join(fresh, MANIFEST), { createNew: true, write: true });
    const bytes = new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n");
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.sync();
  }
  await syncFolder(fresh);
  return fresh;
}

async function moveIntoPlace(fresh: string, target: string, replaced: string): Promise<void> {
  try {
    await Deno.rename(target, replaced);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.rename(fresh, target);
  await syncFolder(join(target, ".."));
}

async function syncFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(path);
    await folder.sync();
  } catch {
    // Not every system can do this with a folder; the renames are ordered all the same.
  }
}

/** What processes that were killed have left: prepared folders, and small drafts. */
async function removeLeftovers(root: string): Promise<void> {
  for await (const entry of Deno.readDir(root)) {
    const path = join(root, entry.name);
    if (entry.isDirectory && PARTIAL.test(entry.name)) await removeTree(path);
    if (!entry.isFile || !DRAFT.test(entry.name)) continue;
    // A draft lives for milliseconds; a young one may belong to a process that is waiting.
    const modified = (await Deno.stat(path).catch(() => undefined))?.mtime?.getTime() ?? Infinity;
    if (Date.now() - modified > 60_000) await removeTree(path);
  }
}

async function removeTree(path: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await Deno.remove(path, { recursive: true });
      return;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      // Another process may still have been writing into it: once more. What cannot be removed
      // is never taken for an installation, and the next run tries again.
    }
  }
}

/** The most that lies on the disk at any time; pip holds two copies of a wheel for a moment. */
function neededBytes(wheels: readonly Wheel[]): number {
  let unpacked = 0, peak = 0;
  for (const { bytes, unpackedBytes } of wheels) {
    peak = Math.max(peak, unpacked + bytes + Math.max(bytes, unpackedBytes));
    unpacked += unpackedBytes;
  }
  return peak;
}

function unsupported(platform: string, kind: string): InstallError {
  const hint = kind === "cuda"
    ? "The CUDA build exists for linux-x86_64 only; without --cuda, `deno task setup` fetches " +
      "the CPU build where there is one, and the engine webgpu uses the GPU here."
    : "The engines webgpu and wasm serve here: run the command with --engine webgpu or " +
      "--engine wasm, or name a folder with TensorFlow's libraries in TROCAR_TENSORFLOW.";
  return new InstallError(
    "unsupported-platform",
    `Cannot install TensorFlow (${kind}): there is no library for this platform, current value ` +
      `is ${platform}. ${hint}`,
  );
}

/** Says what the operating system's error means here. */
function explain(error: unknown, root: string): unknown {
  if (error instanceof InstallError || !(error instanceof Error)) return error;
  const { code } = error as { code?: string };
  if (code === "ENOSPC" || code === "EDQUOT") {
    return noSpace(root, "the disk (or the user's quota) is full", "0 MB");
  }
  const isRefused = [
    ...["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST"],
    ...["ENOENT", "EINVAL", "ELOOP", "ENAMETOOLONG"],
  ].includes(code ?? "");
  if (!isRefused) return error;
  return new InstallError(
    "not-writable",
    `Cannot install TensorFlow in ${root}: the folder cannot be written (${error.message}). ` +
      "Make it writable, or set TROCAR_CACHE to another folder.",
    { cause: error },
  );
}
