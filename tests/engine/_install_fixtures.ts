import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Wheel } from "../../lib/engine/install/_wheel.ts";
import { temporaryFolder } from "../_temporary.ts";

/** Whether python3 answers; the tests that build archives need it. */
export const HAS_PYTHON: boolean = answers("python3", ["-c", "import zipfile"]);
export const HAS_PIP: boolean = answers("python3", ["-m", "pip", "--version"]);

function answers(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Defines a test that is reported as ignored, with the reason, where python3 is missing. */
export function pythonTest(
  name: string,
  fn: () => Promise<void>,
  options: { needsPip?: boolean } = {},
): void {
  const missing = !HAS_PYTHON ? "python3" : options.needsPip && !HAS_PIP ? "pip" : undefined;
  const title = missing === undefined ? name : `${name} (ignored: ${missing} is missing)`;
  Deno.test({ name: title, ignore: missing !== undefined, fn });
}

/** The names the libraries have inside the small wheels of these tests. */
const LIBRARY = Deno.build.os === "darwin"
  ? (part: string) => `tensorflow/libtensorflow_${part}.2.dylib`
  : (part: string) => `tensorflow/libtensorflow_${part}.so.2`;

const MAKE_WHEEL = `
import random, sys, zipfile
path, cc, framework = sys.argv[1:4]
noise = random.Random(7).randbytes(300_000)
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr(cc, noise + bytes(2_700_000))
    z.writestr(framework, noise[::-1])
    z.writestr("tensorflow/__init__.py", "raise SystemExit")
    z.writestr("tensorflow-2.21.0.dist-info/METADATA", "Version: 2.21.0")
`;
export const CC_BYTES = 3_000_000, FRAMEWORK_BYTES = 300_000;

/** A folder with a small wheel, a module `pip` that hands it out, and an empty cache. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly cache: string;
  readonly wheelPath: string;
  readonly wheel: WheelText;
  /** Environment under which `python3 -m pip` is the one of this folder. */
  readonly env: Record<string, string>;
  /** How often pip was started. */
  pipRuns(): Promise<number>;
}

/** A wheel as JSON can carry it. */
export type WheelText = Omit<Wheel, "members"> & { members: string };

/** What the module does instead of downloading: `slow` takes 20 s, `junk` fills the disk. */
const FAKE_PIP = `
import os, shutil, sys, time
here = os.environ["FAKE_PIP"]
with open(os.path.join(here, "runs"), "a") as f:
    f.write(f"{os.getpid()}\\n")
mode = os.environ.get("FAKE_PIP_MODE", "")
target = sys.argv[sys.argv.index("-d") + 1]
wheel = os.path.join(here, "pinned.whl")
if mode == "fails":
    sys.exit("first words\\nlast words")
if mode == "slow" or mode == "steady":
    part = os.path.join(os.environ["TMPDIR"], "part")
    for i in range(200 if mode == "slow" else 8):
        with open(part, "ab") as f:
            f.write(bytes(20_000))
        time.sleep(0.1)
if mode == "junk":
    with open(os.path.join(os.environ["TMPDIR"], "junk"), "wb") as f:
        f.write(bytes(int(os.environ["FAKE_PIP_JUNK"])))
shutil.copy(wheel, os.path.join(target, "tensorflow_cpu-2.21.0-any.whl"))
`;

/** Makes a {@linkcode Site}; `change` may damage the wheel before its hash is taken. */
export async function makeSite(
  options: { change?: (bytes: Uint8Array) => Uint8Array; parent?: string } = {},
): Promise<Site> {
  const folder = options.parent ? Deno.makeTempDirSync({ dir: options.parent }) : temporaryFolder();
  const wheelPath = join(folder, "pinned.whl");
  await Deno.mkdir(join(folder, "modules", "pip"), { recursive: true });
  await Deno.writeTextFile(join(folder, "modules", "pip", "__init__.py"), "");
  await Deno.writeTextFile(join(folder, "modules", "pip", "__main__.py"), FAKE_PIP);
  const made = await new Deno.Command("python3", {
    args: ["-c", MAKE_WHEEL, wheelPath, LIBRARY("cc"), LIBRARY("framework")],
  }).output();
  if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));
  const bytes = (options.change ?? ((same) => same))(await Deno.readFile(wheelPath));
  await Deno.writeFile(wheelPath, bytes);
  return {
    folder,
    cache: join(folder, "cache"),
    wheelPath,
    wheel: {
      project: "tensorflow-cpu",
      version: "2.21.0",
      file: "tensorflow_cpu-2.21.0-any.whl",
      platform: "any",
      sha256: createHash("sha256").update(bytes).digest("hex"),
      bytes: bytes.length,
      unpackedBytes: CC_BYTES + FRAMEWORK_BYTES,
      members: "^tensorflow/lib",
    },
    env: { PYTHONPATH: join(folder, "modules"), FAKE_PIP: folder, TROCAR_TENSORFLOW: "" },
    pipRuns: async () =>
      (await Deno.readTextFile(join(folder, "runs")).catch(() => "")).split("\n").length - 1,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** What an installing process said. */
export interface Outcome {
  readonly folder?: string;
  readonly code?: string;
  readonly message?: string;
  readonly stages?: string[];
  readonly exitCode: number;
}

/** Starts an installation in a process of its own. */
export function startInstall(
  site: Pick<Site, "cache" | "wheel" | "env">,
  options: { env?: Record<string, string>; settings?: Record<string, unknown> } = {},
): { process: Deno.ChildProcess; outcome: Promise<Outcome> } {
  const settings = {
    cache: site.cache,
    wheels: [site.wheel],
    heartbeat: 100,
    ...options.settings,
  };
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("./_install_child.ts", import.meta.url).pathname,
      JSON.stringify(settings),
    ],
    env: { ...site.env, ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const outcome = process.output().then(({ code, stdout }) => ({
    exitCode: code,
    ...JSON.parse(new TextDecoder().decode(stdout) || "{}"),
  }));
  return { process, outcome };
}

/** Waits until something is so, for a minute at most: machines may be slow. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  seconds = 60,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`Cannot go on with the test: ${seconds} s have passed.`);
}

/** Names in a folder, sorted; empty when there is none. */
export function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}
