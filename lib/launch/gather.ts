/** Collects what the processes of a cluster found, where no engine takes part that could. */
import type { ClusterMember } from "../engine/collectives/tf_config.ts";

/** How patient the processes are. */
export interface GatherOptions {
  /** Seconds in which all must come. @default {300} */
  readonly timeout?: number;
  /** Stops waiting. */
  readonly signal?: AbortSignal;
}

/** A connection of each process to rank 0, at rank 0's address in `TF_CONFIG`. */
export class Gathering implements Disposable {
  readonly #member: ClusterMember;
  /** Of rank 0, to each other process by rank; of the others, to rank 0. */
  readonly #connections: ReadonlyMap<number, Deno.TcpConn>;

  private constructor(member: ClusterMember, connections: ReadonlyMap<number, Deno.TcpConn>) {
    this.#member = member;
    this.#connections = connections;
  }

  /**
   * Waits until all processes are there.
   *
   * @param member The cluster and this process's place.
   * @param options Patience.
   * @returns The connections; the caller disposes of them.
   * @throws {Error} Naming the processes that did not come.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { Gathering } from "./gather.ts";
   * import { localPlaces, tfConfig } from "./place.ts";
   * import { parseTfConfig } from "../engine/mod.ts";
   *
   * const found = await Promise.all(localPlaces(2).map(async (place) => {
   *   using gathering = await Gathering.open(parseTfConfig(tfConfig(place))!);
   *   return await gathering.gather(10 * place.rank);
   * }));
   * assert.deepEqual(found, [[0, 10], null]);
   * ```
   */
  static async open(member: ClusterMember, options: GatherOptions = {}): Promise<Gathering> {
    const { timeout = 300, signal } = options;
    const until = performance.now() + timeout * 1000;
    const connections = member.rank === 0
      ? await accept(member, until, signal)
      : new Map([[0, await reach(member, until, signal)]]);
    return new Gathering(member, connections);
  }

  /**
   * Gives rank 0 everybody's value.
   *
   * @param value What JSON can hold.
   * @returns The values by rank; null on other ranks, which return as soon as rank 0 has theirs.
   * @throws {Error} If another process has ended before it gave its own.
   */
  async gather<T>(value: T): Promise<T[] | null> {
    const { rank, size } = this.#member;
    if (rank !== 0) {
      const connection = this.#connections.get(0)!;
      await write(connection, JSON.stringify(value));
      if (await readLine(connection) === undefined) throw gone(this.#member, 0);
      return null;
    }
    const values = [value];
    await Promise.all(
      Array.from({ length: size - 1 }, async (_, i) => {
        const line = await readLine(this.#connections.get(i + 1)!);
        if (line === undefined) throw gone(this.#member, i + 1);
        values[i + 1] = JSON.parse(line) as T;
      }),
    );
    for (const connection of this.#connections.values()) await write(connection, "");
    return values;
  }

  /** Ends the connections. */
  [Symbol.dispose](): void {
    for (const connection of this.#connections.values()) close(connection);
  }
}

async function accept(
  member: ClusterMember,
  until: number,
  signal: AbortSignal | undefined,
): Promise<Map<number, Deno.TcpConn>> {
  const found = new Map<number, Deno.TcpConn>();
  using listener = Deno.listen(split(member.addresses[0]!));
  const end = () => close(listener);
  const timer = setTimeout(end, until - performance.now());
  signal?.addEventListener("abort", end);
  try {
    while (found.size < member.size - 1) {
      const connection = await listener.accept();
      const rank = Number(await readLine(connection, 1)); // its value may follow at once
      // Anybody may knock.
      if (rank > 0 && rank < member.size && !found.has(rank)) found.set(rank, connection);
      else close(connection);
    }
    return found;
  } catch (error) {
    found.forEach(close);
    signal?.throwIfAborted();
    const missing = member.addresses.flatMap((address, rank) =>
      rank === 0 || found.has(rank) ? [] : `${rank} (${address})`
    );
    throw new Error(
      `Cannot work in ${member.size} processes: all should come, current value is that rank ${
        missing.join(" and ")
      } did not. Start all of them.`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

async function reach(
  member: ClusterMember,
  until: number,
  signal: AbortSignal | undefined,
): Promise<Deno.TcpConn> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      const connection = await Deno.connect(split(member.addresses[0]!));
      await write(connection, String(member.rank));
      return connection;
    } catch (error) {
      if (performance.now() > until) {
        throw new Error(
          `Cannot work in ${member.size} processes: rank 0 should listen, current value is that ${
            member.addresses[0]
          } does not answer. Start all of them.`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function split(address: string): { hostname: string; port: number } {
  const [, hostname, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)!;
  return { hostname: hostname!, port: Number(port) };
}

function gone({ size, addresses }: ClusterMember, rank: number): Error {
  return new Error(
    `Cannot go on with ${size} processes: rank ${rank} (${
      addresses[rank]
    }) should give its results, current value is that it has ended. See its own messages.`,
  );
}

async function write(connection: Deno.TcpConn, line: string): Promise<void> {
  const bytes = new TextEncoder().encode(line + "\n");
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** The next line; undefined when the other has ended first. What is read with its end is lost. */
async function readLine(connection: Deno.TcpConn, atOnce = 65536): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(atOnce);
  let text = "";
  try {
    while (!text.endsWith("\n")) {
      const count = await connection.read(buffer);
      if (count === null) return undefined;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  } catch {
    return undefined; // reset, because the other was killed
  }
  return text.slice(0, -1);
}

function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // it is closed already
  }
}
