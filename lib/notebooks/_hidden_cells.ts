/** Where the kernel keeps what nobody caught. */
const STORE = `globalThis[Symbol.for("trocar.uncaught")]`;

/**
 * Ends the kernel and what its cells started when its standard input ends, that is, when the runner is
 * gone, for whatever reason.
 */
const WATCH = `
const buffer = new Uint8Array(64);
try {
  while (await Deno.stdin.read(buffer) !== null);
} catch { /* the same as its end */ }
for (const id of Deno.build.os === "windows" ? [Deno.pid] : [-Deno.pid, Deno.pid]) {
  try {
    Deno.kill(id, "SIGKILL");
  } catch { /* it leads no group */ }
}`;

/**
 * Runs before all cells: rejections that nobody awaits and errors in timers are kept instead of lost,
 * and a thread of its own, which even an endless loop does not stop, watches for the runner's end.
 */
export const PREPARE = `(() => {
  const kept = ${STORE} = [];
  const keep = (what, error) => kept.push({
    what,
    name: String(error?.name ?? typeof error),
    message: String(error?.message ?? error),
    stack: String(error?.stack ?? ""),
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    keep("rejection", event.reason);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    keep("error", event.error);
  });
  new Worker("data:text/javascript,${encodeURIComponent(WATCH)}", { type: "module" });
})(); undefined`;

/** What the barrier's display carries beside its token. */
export const UNCAUGHT = "application/vnd.trocar.uncaught+json";

/**
 * Runs after each cell. The kernel sends some outputs after the cell's end, but all of them in order:
 * what arrives before this token belongs to the cell.
 */
export function barrier(token: string, settleMs: number): string {
  return `await new Promise((resolve) => setTimeout(resolve, ${settleMs}));
await Deno.jupyter.display(
  { "text/plain": "${token}", "${UNCAUGHT}": ${STORE}?.splice(0) ?? [] },
  { raw: true },
); undefined`;
}
