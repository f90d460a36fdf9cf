import { ZmtpSocket } from "./_zmtp.ts";

/** What is called with each message, and who sent it. */
type OnMessage = (frames: Uint8Array[], from: ZmtpSocket) => void;

/** A listening socket of ZeroMQ's protocol, to which several others connect. */
export class ZmtpServer implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #peers = new Set<ZmtpSocket>();

  /** @param onMessage subscriptions are no messages: everybody gets everything */
  constructor(port: number, type: "ROUTER" | "PUB" | "REP", onMessage: OnMessage) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#accept(type, onMessage);
  }

  /** Sends to all who are connected. */
  publish(frames: readonly (Uint8Array | string)[]): void {
    for (const peer of this.#peers) peer.send(frames).catch(() => this.#drop(peer));
  }

  /** Who calls itself so. */
  find(identity: string): ZmtpSocket | undefined {
    return [...this.#peers].find((peer) => peer.identity === identity);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const peer of this.#peers) this.#drop(peer);
  }

  async #accept(type: "ROUTER" | "PUB" | "REP", onMessage: OnMessage): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        ZmtpSocket.accept(connection, type).then((peer) => this.#serve(peer, onMessage), () => {});
      }
    } catch {
      // it was closed
    }
  }

  async #serve(peer: ZmtpSocket, onMessage: OnMessage): Promise<void> {
    this.#peers.add(peer);
    try {
      for (;;) onMessage(await peer.receive(), peer);
    } catch {
      this.#drop(peer);
    }
  }

  #drop(peer: ZmtpSocket): void {
    this.#peers.delete(peer);
    peer.close();
  }
}
