/**
 * Loaded into a worker before its program: when the launcher is gone, for whatever reason, standard
 * input ends, and then the worker ends too, in order if it can.
 */
const GRACE_MS = 20_000;

async function watch(): Promise<void> {
  const buffer = new Uint8Array(64);
  try {
    while (await Deno.stdin.read(buffer) !== null);
  } catch {
    // it cannot be read any more: the same as its end
  }
  Deno.kill(Deno.pid, Deno.build.os === "windows" ? "SIGKILL" : "SIGTERM");
  setTimeout(() => Deno.exit(130), GRACE_MS);
}

// The program starts when nothing is pending here any more, so the watch must begin later.
setTimeout(watch, 50).unref();
