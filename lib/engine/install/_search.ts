import { join, resolve } from "node:path";
import { cacheFolder } from "./cache_folder.ts";
import { pythonCandidate, systemFolders, versionOf } from "./_candidates.ts";
import { isCudaBuild } from "./_elf.ts";
import { InstallError } from "./install_error.ts";
import type {
  RejectedTensorFlow,
  TensorFlowLocation,
  TensorFlowSearch,
  TensorFlowSource,
} from "./locate.ts";
import { checkInstall, type Manifest } from "./_manifest.ts";
import { currentPlatform, libraryNames } from "./_platform.ts";
import { TENSORFLOW_VERSION } from "./_wheels.ts";

/** Oldest TensorFlow whose C API and operations the engine uses. */
const OLDEST = [2, 16] as const;

/** Where {@linkcode search} looks; what is left out is this machine's. */
export interface SearchSettings {
  readonly cuda: boolean;
  /** Value of `TROCAR_TENSORFLOW`. */
  readonly setting?: string;
  readonly cache?: string;
  readonly platform?: string;
  readonly python?: readonly string[];
  readonly systemFolders?: readonly string[];
}

/** Looks as {@linkcode searchTensorFlow} describes it. */
export async function search(settings: SearchSettings): Promise<TensorFlowSearch> {
  const platform = settings.platform ?? currentPlatform();
  const setting = settings.setting ?? Deno.env.get("TROCAR_TENSORFLOW") ?? "";
  if (setting !== "") return { found: await fromSetting(setting, platform), rejected: [] };
  const rejected: RejectedTensorFlow[] = [];
  const cache = settings.cache ?? cacheFolder();
  const cached = await fromCache(cache, platform, settings.cuda, rejected);
  if (cached !== undefined) return { found: cached, rejected };
  const packaged = await pythonCandidate(settings.python);
  if (packaged !== undefined) {
    const found = await inspect("python", packaged.folder, platform, packaged.version);
    const reason = typeof found === "string"
      ? found
      : settings.cuda
      ? await lacksCuda(found)
      : undefined;
    if (typeof found !== "string" && reason === undefined) return { found, rejected };
    rejected.push({ source: "python", folder: packaged.folder, reason: reason ?? "" });
  }
  for (const folder of settings.systemFolders ?? await systemFolders()) {
    if (!await exists(join(folder, libraryNames(platform).framework))) continue;
    const found = await inspect("system", folder, platform, undefined);
    if (typeof found !== "string" && (!settings.cuda || found.cuda)) return { found, rejected };
    const reason = typeof found === "string" ? found : "it is not a CUDA build";
    rejected.push({ source: "system", folder, reason });
  }
  return { found: undefined, rejected };
}

async function fromSetting(setting: string, platform: string): Promise<TensorFlowLocation> {
  const { framework, cc } = libraryNames(platform);
  for (const folder of [resolve(setting), resolve(setting, "tensorflow")]) {
    if (!await exists(join(folder, framework))) continue;
    const found = await inspect("TROCAR_TENSORFLOW", folder, platform, undefined);
    if (typeof found !== "string") return found;
    throw new InstallError(
      "bad-setting",
      `Cannot use TROCAR_TENSORFLOW: ${found}, current value is "${setting}". ` +
        "Name another folder, or unset it and run `deno task setup`.",
    );
  }
  throw new InstallError(
    "bad-setting",
    `Cannot use TROCAR_TENSORFLOW: the folder should hold ${framework} and ${cc[0]} (or a folder ` +
      `tensorflow/ with them), current value is "${setting}". Name the folder of the libraries, ` +
      "or unset it and run `deno task setup`.",
  );
}

/** The installations of this platform in the cache: the pinned version first, CUDA before CPU. */
async function fromCache(
  cache: string,
  platform: string,
  cuda: boolean,
  rejected: RejectedTensorFlow[],
): Promise<TensorFlowLocation | undefined> {
  const root = join(cache, "tensorflow");
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(root)) {
      if (entry.isDirectory && /^\d/.test(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    rejected.push({ source: "cache", folder: root, reason: (error as Error).message });
    return undefined;
  }
  const rank = (name: string) =>
    (name.startsWith(`${TENSORFLOW_VERSION}-`) ? 0 : 2) + (name.endsWith("-cuda") ? 0 : 1);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? 1 : -1));
  for (const name of names) {
    if (!name.endsWith(`-${platform}-cpu`) && !name.endsWith(`-${platform}-cuda`)) continue;
    if (cuda && !name.endsWith("-cuda")) continue;
    const folder = join(root, name);
    const state = await checkInstall(folder);
    if (typeof state === "string") {
      rejected.push({ source: "cache", folder, reason: `it is not complete: ${state}` });
    } else if (isTooOld(state.version)) {
      rejected.push({ source: "cache", folder, reason: tooOld(state.version) });
    } else return installedLocation(folder, state, platform);
  }
  return undefined;
}

/** The location of a whole installation in the cache. */
export function installedLocation(
  folder: string,
  manifest: Manifest,
  platform: string,
): TensorFlowLocation {
  const { framework, cc } = libraryNames(platform);
  const libraries = join(folder, "tensorflow");
  return {
    version: manifest.version,
    folder: libraries,
    source: "cache",
    libraries: { framework: join(libraries, framework), cc: join(libraries, cc[0]!) },
    cuda: manifest.kind === "cuda",
  };
}

/** The libraries in one folder, or in words why it does not serve. */
async function inspect(
  source: TensorFlowSource,
  folder: string,
  platform: string,
  knownVersion: string | undefined,
): Promise<TensorFlowLocation | string> {
  const names = libraryNames(platform);
  const framework = join(folder, names.framework);
  if (!await exists(framework)) return `the folder holds no ${names.framework}`;
  for (const name of names.cc) {
    const cc = join(folder, name);
    if (!await exists(cc)) continue;
    const version = knownVersion ?? await versionOf(folder, framework) ?? "unknown";
    if (isTooOld(version)) return tooOld(version);
    return { version, folder, source, libraries: { framework, cc }, cuda: isCudaBuild(framework) };
  }
  return `the folder ${folder} holds neither ${names.cc.join(" nor ")}`;
}

async function lacksCuda(found: TensorFlowLocation): Promise<string | undefined> {
  if (!found.cuda) return "it is not a CUDA build";
  const nvidia = join(found.folder, "..", "nvidia", "cudnn", "lib");
  return await exists(nvidia) ? undefined : "NVIDIA's libraries are not installed beside it";
}

function isTooOld(version: string): boolean {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < OLDEST[0] || major === OLDEST[0] && minor < OLDEST[1];
}

function tooOld(version: string): string {
  return `TensorFlow should be ${OLDEST.join(".")} or later, current value is ${version}`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
