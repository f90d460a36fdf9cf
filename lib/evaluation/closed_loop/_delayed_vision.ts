/** Cameras that are looked at now and then, by a model that takes its time. */
import type { ObservedScenes, SeenScenes } from "./_observe_scenes.ts";

/** When the model looks and answers, in steps of the simulation. */
export interface VisionSchedule {
  /** From one look to the next. */
  readonly period: number;
  /** From a look to its answer. */
  readonly latency: number;
  /** From one question of the policy to the next. */
  readonly asked: number;
}

/** What of the scenes' pictures is known. */
export class DelayedVision {
  readonly #scenes: ObservedScenes;
  readonly #schedule: VisionSchedule;
  readonly #looks: { readonly known: number; readonly seen: SeenScenes }[] = [];

  /** @param schedule the latency is at most the period */
  constructor(scenes: ObservedScenes, schedule: VisionSchedule) {
    this.#scenes = scenes;
    this.#schedule = schedule;
  }

  /** Looks, if it is time to and the policy will be asked before there is something newer. */
  async look(step: number): Promise<void> {
    const { period, latency, asked } = this.#schedule;
    const known = step + latency, next = asked * Math.ceil(known / asked);
    if (step % period !== 0 || next >= known + period) return;
    this.#looks.push({ known, seen: await this.#scenes.see() });
  }

  /** The newest that is known; null before the first answer. */
  newest(step: number): SeenScenes | null {
    while (this.#looks.length > 1 && this.#looks[1]!.known <= step) this.#looks.shift();
    const look = this.#looks[0];
    return look !== undefined && look.known <= step ? look.seen : null;
  }
}
