import type { TrainingSeconds } from "./job.ts";

/** What waits for data; a loader is one. */
interface Waiting {
  readonly metrics: {
    /** Milliseconds in all. */
    readonly waited: number;
  };
}

/** Tells time in optimiser steps from time waiting for data. */
export class Clock {
  readonly #began = performance.now();
  readonly #loader: Waiting;
  #stepMs = 0;
  #saveMs = 0;

  /** @param loader whose waiting counts as data time */
  constructor(loader: Waiting) {
    this.#loader = loader;
  }

  /** Runs a step, which may wait for data. */
  async step<T>(run: () => Promise<T>): Promise<T> {
    const began = performance.now(), waited = this.#loader.metrics.waited;
    const result = await run();
    this.#stepMs += performance.now() - began - (this.#loader.metrics.waited - waited);
    return result;
  }

  /** Runs what the loop stands still for while a checkpoint is saved. */
  async save(run: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await run();
    this.#saveMs += performance.now() - began;
  }

  /** Seconds so far. */
  get seconds(): TrainingSeconds {
    return {
      total: (performance.now() - this.#began) / 1000,
      data: this.#loader.metrics.waited / 1000,
      step: this.#stepMs / 1000,
      save: this.#saveMs / 1000,
    };
  }
}
