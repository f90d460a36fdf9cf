const EVERY_MS = 50;
let last = 0;

/**
 * Lets timers and signals through now and then in long synchronous work, and ends it if it was
 * stopped. A promise alone does not: microtasks run before any signal is heard.
 */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  const now = performance.now();
  if (now - last < EVERY_MS) return;
  await new Promise<void>((done) => setTimeout(done));
  last = performance.now();
  signal?.throwIfAborted();
}
