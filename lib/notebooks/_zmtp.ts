/** Of a frame that a kernel sends; more is no output that a notebook could hold. */
const LARGEST_FRAME = 2 ** 28;
const MORE = 1, LONG = 2, COMMAND = 4;
const encoder = new TextEncoder(), decoder = new TextDecoder();

/**
 * A socket of ZeroMQ's wire protocol, ZMTP 3.0 with the NULL mechanism (rfc.zeromq.org/spec/23), over
 * TCP: as much as a Jupyter client needs. ZeroMQ's own binding for Node does not receive in Deno.
 */
export class ZmtpSocket {
  readonly #connection: Deno.TcpConn;
  #rest = new Uint8Array(0);
  #sending: Promise<void> = Promise.resolve();
  #identity = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects and shakes hands; a SUB socket subscribes to everything. */
  static async connect(
    port: number,
    type: "DEALER" | "SUB",
    identity = "",
  ): Promise<ZmtpSocket> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const socket = await ZmtpSocket.accept(connection, type, identity);
    if (type === "SUB") await socket.send([Uint8Array.of(1)]);
    return socket;
  }

  /** Shakes hands over a connection, which is closed if that fails. */
  static async accept(
    connection: Deno.TcpConn,
    type: "DEALER" | "SUB" | "ROUTER" | "PUB" | "REP",
    identity = "",
  ): Promise<ZmtpSocket> {
    const socket = new ZmtpSocket(connection);
    try {
      connection.setNoDelay(true);
      await socket.#write(greeting());
      const answer = await socket.#read(64);
      if (answer[0] !== 0xff || answer[9] !== 0x7f || answer[10]! < 3) {
        const { port } = connection.remoteAddr;
        throw new SyntaxError(`Cannot speak ZMTP 3 at port ${port}: another protocol answers.`);
      }
      await socket.#write(ready({ "Socket-Type": type, Identity: identity }));
      socket.#identity = propertyOf((await socket.#frame()).body, "identity");
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** What the other side calls itself. */
  get identity(): string {
    return this.#identity;
  }

  /** The frames of the next message. */
  async receive(): Promise<Uint8Array[]> {
    const frames: Uint8Array[] = [];
    for (;;) {
      const { flags, body } = await this.#frame();
      if (flags & COMMAND) continue;
      frames.push(body);
      if (!(flags & MORE)) return frames;
    }
  }

  /** Sends a message. */
  send(frames: readonly (Uint8Array | string)[]): Promise<void> {
    const parts = frames.flatMap((frame, i) => {
      const body = typeof frame === "string" ? encoder.encode(frame) : frame;
      return [frameHeader(body.length, i < frames.length - 1 ? MORE : 0), body];
    });
    // One message after the other: frames of two must not mix.
    return this.#sending = this.#sending.then(() => this.#write(joined(parts)));
  }

  /** Ends the connection; a pending `receive` rejects. */
  close(): void {
    try {
      this.#connection.close();
    } catch {
      // it was closed already
    }
  }

  async #frame(): Promise<{ flags: number; body: Uint8Array }> {
    const flags = (await this.#read(1))[0]!;
    const length = flags & LONG
      ? Number(new DataView((await this.#read(8)).buffer).getBigUint64(0))
      : (await this.#read(1))[0]!;
    if (length > LARGEST_FRAME) {
      throw new RangeError(
        `Cannot receive a message of ${length} bytes: at most ${LARGEST_FRAME}. Print or display less ` +
          "at once.",
      );
    }
    return { flags, body: await this.#read(length) };
  }

  async #read(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let done = Math.min(length, this.#rest.length);
    bytes.set(this.#rest.subarray(0, done));
    this.#rest = this.#rest.subarray(done);
    const chunk = done < length ? new Uint8Array(1 << 16) : bytes;
    while (done < length) {
      const count = await this.#connection.read(chunk);
      if (count === null) throw new Deno.errors.UnexpectedEof("the connection has ended");
      const used = Math.min(count, length - done);
      bytes.set(chunk.subarray(0, used), done);
      done += used;
      this.#rest = chunk.slice(used, count);
    }
    return bytes;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await this.#connection.write(bytes.subarray(done));
    }
  }
}

function greeting(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0]);
  bytes.set(encoder.encode("NULL"), 12);
  return bytes;
}

/** The command with which both sides begin: properties by name. */
function ready(properties: Readonly<Record<string, string>>): Uint8Array {
  const parts = Object.entries(properties).flatMap(([name, value]) => {
    const key = encoder.encode(name), text = encoder.encode(value), length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, text.length);
    return [Uint8Array.of(key.length), key, length, text];
  });
  const body = joined([Uint8Array.of(5), encoder.encode("READY"), ...parts]);
  return joined([frameHeader(body.length, COMMAND), body]);
}

/** A property of that command, as hexadecimal digits; "" if it is not there. */
function propertyOf(body: Uint8Array, wanted: string): string {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  for (let at = 6; at + 1 < body.length;) {
    const name = decoder.decode(body.subarray(at + 1, at + 1 + body[at]!));
    at += 1 + body[at]!;
    if (at + 4 > body.length) break;
    const length = view.getUint32(at);
    at += 4;
    if (name.toLowerCase() === wanted) return body.slice(at, at + length).toHex();
    at += length;
  }
  return "";
}

function frameHeader(length: number, flags: number): Uint8Array {
  if (length < 256) return Uint8Array.of(flags, length);
  const header = new Uint8Array(9);
  header[0] = flags | LONG;
  new DataView(header.buffer).setBigUint64(1, BigInt(length));
  return header;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
