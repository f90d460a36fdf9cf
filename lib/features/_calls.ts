/** TensorFlow's code for memory that is used up. */
const RESOURCE_EXHAUSTED = 8;

/** Work that is done in calls of several items at once, of fewer where memory does not suffice. */
export class Calls {
  #size: number;

  /** @param size items of a call, at first */
  constructor(size: number) {
    this.#size = size;
  }

  /** Items of a call. */
  get size(): number {
    return this.#size;
  }

  /**
   * Does the work.
   *
   * @param items all of it
   * @param work of one call; called again with fewer items where it runs out of memory
   * @returns what the calls return, in the order of the items
   */
  async map<T, R>(
    items: readonly T[],
    work: (items: readonly T[]) => Promise<readonly R[]>,
  ): Promise<R[]> {
    const results: R[] = [];
    while (results.length < items.length) {
      const some = items.slice(results.length, results.length + this.#size);
      try {
        results.push(...await work(some));
      } catch (error) {
        if (!isOutOfMemory(error) || some.length === 1) throw error;
        this.#size = Math.ceil(some.length / 2);
      }
    }
    return results;
  }
}

/** Whether an engine's error says that there is no memory left. */
export function isOutOfMemory(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === RESOURCE_EXHAUSTED ||
    /resource.?exhausted|out of memory|\bOOM\b/i.test(String(message));
}
