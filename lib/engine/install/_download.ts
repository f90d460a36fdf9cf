import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pipError } from "./_pip_error.ts";
import { type InstallProgress, ProgressMeter } from "./_progress.ts";
import { labelOf, type Wheel } from "./_wheel.ts";

/**
 * Runs pip as `python3 -m pip` would, and ends it when this process is gone: its standard input
 * closes then. Otherwise a killed set-up would leave a download running.
 */
const RUN_PIP = `
import os, runpy, sys, threading
def watch():
    while os.read(0, 4096):
        pass
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;

/** The command that starts pip. */
export const PIP: readonly string[] = ["python3", "-c", RUN_PIP];

const POLL_MS = 150;
/** How much of pip's output is kept for the error message. */
const KEPT_BYTES = 8192;

/** How a wheel is downloaded. */
export interface DownloadOptions {
  readonly pip: readonly string[];
  readonly onProgress: ((progress: InstallProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Downloads one wheel with pip.
 *
 * @param wheel which
 * @param folder an empty folder of ours: pip's temporary files go there as well
 * @returns the path of the wheel
 * @throws {InstallError} in words that say what to do
 */
export async function downloadWheel(
  wheel: Wheel,
  folder: string,
  options: DownloadOptions,
): Promise<string> {
  const target = join(folder, "wheel"), temporary = join(folder, "temporary");
  await Deno.mkdir(target, { recursive: true });
  await Deno.mkdir(temporary, { recursive: true });
  const [program = "python3", ...first] = options.pip;
  const parameters = [
    ...first,
    ...["download", "--no-deps", "--only-binary=:all:", "--implementation", "cp"],
    ...["--python-version", "3.11", "--platform", wheel.platform, "--no-cache-dir"],
    ...["--progress-bar", "off", "-d", target, `${wheel.project}==${wheel.version}`],
  ];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: parameters,
      env: { TMPDIR: temporary, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw pipError(wheel, program, (error as Error).message, undefined);
  }
  const stop = () => tryKill(child);
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    const output = Promise.all([lastText(child.stdout), lastText(child.stderr)]);
    const meter = new ProgressMeter("download", labelOf(wheel), wheel.bytes, options.onProgress);
    let ended = false;
    const status = child.status.finally(() => ended = true);
    while (!ended) {
      await Promise.race([status, sleep(POLL_MS)]);
      // pip writes one temporary file and moves it at the end: the largest file is the download.
      if (!ended) meter.update(Math.min(await largestFile(folder), wheel.bytes - 1));
    }
    const text = (await output).join("\n");
    const { code, signal } = await status;
    // Ctrl-C reaches pip as well, and its end may be seen before our own handler has run.
    if (code !== 0) await sleep(50);
    options.signal?.throwIfAborted();
    if (code !== 0) throw pipError(wheel, program, text, signal ?? code);
    meter.update(wheel.bytes);
    return await wheelIn(target, wheel, text);
  } finally {
    options.signal?.removeEventListener("abort", stop);
    tryKill(child);
    await child.stdin.close().catch(() => {});
  }
}

async function wheelIn(folder: string, wheel: Wheel, text: string): Promise<string> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && entry.name.endsWith(".whl")) return join(folder, entry.name);
  }
  throw pipError(wheel, "pip", `${text}\nNo wheel was written.`, 0);
}

function tryKill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended.
  }
}

async function largestFile(folder: string): Promise<number> {
  let largest = 0;
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      const bytes = entry.isDirectory
        ? await largestFile(path)
        : entry.isFile
        ? (await Deno.stat(path)).size
        : 0;
      largest = Math.max(largest, bytes);
    }
  } catch {
    // pip removes its temporary folders while they are looked at.
  }
  return largest;
}

async function lastText(stream: ReadableStream<Uint8Array>): Promise<string> {
  let kept = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    kept = (kept + piece).slice(-KEPT_BYTES);
  }
  return kept;
}
