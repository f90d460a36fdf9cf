/** What a child process measures, and small bodies made long enough for the clock. */
import { type Engine, tf } from "../engine/mod.ts";

/** Something readied for measuring. */
export interface Subject {
  /** What readying it found, for the report. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** One measured run. */
  readonly run: () => void | Promise<void>;
  /** Times that one run does the thing whose time is wanted. */
  readonly repeats: number;
  /** Frees what it holds. */
  readonly release: () => void;
}

/** Shortest run, milliseconds: the clock and the loop must not count. */
const SHORTEST = 1;
const MOST_REPEATS = 10_000;

/**
 * Makes a subject of a body that may take microseconds. A GPU works on after the call has returned:
 * there each run ends by waiting for it.
 *
 * @param engine The engine in use.
 * @param body What is measured; it disposes of what it makes.
 * @param release Frees what the body uses.
 */
export async function repeated(
  engine: Engine,
  body: () => void,
  release: () => void,
): Promise<Subject> {
  const isAsynchronous = engine.devices.some(({ type }) => type === "GPU");
  const one = tf.scalar(1);
  const settle = async () => {
    const sum = one.add(one);
    await sum.data();
    sum.dispose();
  };
  const run = async (repeats: number) => {
    for (let i = 0; i < repeats; i++) body();
    if (isAsynchronous) await settle();
  };
  let repeats = 1;
  for (;;) {
    await run(repeats);
    const start = performance.now();
    await run(repeats);
    const elapsed = performance.now() - start;
    if (elapsed >= SHORTEST || repeats >= MOST_REPEATS) break;
    repeats = Math.min(MOST_REPEATS, Math.ceil(repeats * Math.max(2, 1.2 * SHORTEST / elapsed)));
  }
  return {
    facts: {},
    run: isAsynchronous ? () => run(repeats) : () => {
      for (let i = 0; i < repeats; i++) body();
    },
    repeats,
    release: () => {
      one.dispose();
      release();
    },
  };
}
