/** Makes episodes on several threads. */
import type { EpisodeOrder, EpisodeSeconds } from "./_make_episode.ts";
import type { ThreadAnswer, ThreadRequest } from "./_worker_protocol.ts";

/** How episodes are made. */
export interface MakeEpisodesOptions {
  /** Threads. */
  readonly threads: number;
  /** Stops the work; episodes that are done stay. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each episode. */
  readonly onEpisode?: ((done: number) => void) | undefined;
}

/**
 * Makes episodes.
 *
 * @returns seconds of work in both steps, all threads together
 * @throws what the first thread throws that fails; the others then end their episodes' work early
 */
export async function makeEpisodes(
  orders: readonly EpisodeOrder[],
  { threads, signal, onEpisode }: MakeEpisodesOptions,
): Promise<EpisodeSeconds> {
  const seconds = { recording: 0, preprocessing: 0 };
  const stop = new AbortController();
  const signals = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
  let next = 0, done = 0;
  const work = async () => {
    using thread = new EpisodeThread(signals);
    while (next < orders.length && !signals.aborted) {
      const spent = await thread.make(orders[next++]!);
      seconds.recording += spent.recording;
      seconds.preprocessing += spent.preprocessing;
      onEpisode?.(++done);
    }
  };
  const count = Math.max(1, Math.min(threads, orders.length));
  const works = Array.from({ length: count }, () =>
    work().catch((error) => {
      stop.abort();
      throw error;
    }));
  const ends = await Promise.allSettled(works); // nobody writes any more when this function ends
  signal?.throwIfAborted();
  const failure = ends.find((end) => end.status === "rejected" && !isAbort(end.reason)) ??
    ends.find((end) => end.status === "rejected");
  if (failure?.status === "rejected") throw failure.reason;
  return seconds;
}

function isAbort(error: unknown): boolean {
  return (error as Error).name === "AbortError";
}

/** A thread that makes one episode at a time. */
class EpisodeThread implements Disposable {
  readonly #worker: Worker;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.#worker = new Worker(new URL("./_worker.ts", import.meta.url), { type: "module" });
  }

  async make(order: EpisodeOrder): Promise<EpisodeSeconds> {
    const worker = this.#worker;
    const stop = () => worker.postMessage({ stop: true } satisfies ThreadRequest);
    this.#signal.addEventListener("abort", stop);
    try {
      const answer = await new Promise<ThreadAnswer>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`Cannot make the demonstration: ${event.message}`));
        };
        worker.postMessage({ make: order } satisfies ThreadRequest);
      });
      if (!("error" in answer)) return answer;
      // Our own errors say what to do; those of the system, such as a full disk, do not.
      const error = new Error(
        answer.error.startsWith("Cannot") ? answer.error : `Cannot make the demonstration in ` +
          `${order.folder}: ${answer.error}. An episode takes 24 MB: make room, or set ` +
          "TROCAR_CACHE to another folder.",
      );
      error.name = answer.name;
      throw error;
    } finally {
      this.#signal.removeEventListener("abort", stop);
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
