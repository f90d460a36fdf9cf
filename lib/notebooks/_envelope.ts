import { createHmac } from "node:crypto";

const DELIMITER = "<IDS|MSG>";
const decoder = new TextDecoder();

/** The header of a message, as far as it is looked at. */
interface Header {
  readonly msg_id: string;
  readonly msg_type: string;
}

/** A message of Jupyter's protocol as it is on its way: its parts are JSON. */
export class Envelope {
  /** What stands before the message: subjects of what is published. */
  readonly topics: readonly (Uint8Array | string)[];
  /** Header, parent's header, metadata, content. */
  readonly parts: readonly [string, string, string, string];
  /** What stands behind it. */
  readonly buffers: readonly Uint8Array[];

  constructor(
    parts: readonly [string, string, string, string],
    topics: readonly (Uint8Array | string)[] = [],
    buffers: readonly Uint8Array[] = [],
  ) {
    this.parts = parts;
    this.topics = topics;
    this.buffers = buffers;
  }

  /** A message from its frames; null if it is not signed with the session's key. */
  static open(frames: readonly Uint8Array[], key: string): Envelope | null {
    const start = frames.findIndex((frame) =>
      frame.length === DELIMITER.length && decoder.decode(frame) === DELIMITER
    );
    if (start < 0 || frames.length < start + 6) return null;
    const [signature, ...parts] = frames.slice(start + 1, start + 6)
      .map((frame) => decoder.decode(frame)) as [string, string, string, string, string];
    if (signature !== sign(parts, key)) return null;
    return new Envelope(parts, frames.slice(0, start), frames.slice(start + 6));
  }

  /** The message as frames, signed. */
  frames(key: string): (Uint8Array | string)[] {
    return [...this.topics, DELIMITER, sign(this.parts, key), ...this.parts, ...this.buffers];
  }

  /** The same message as an answer to another one. */
  withParent(header: string): Envelope {
    const [own, , metadata, content] = this.parts;
    return new Envelope([own, header, metadata, content], this.topics, this.buffers);
  }

  /** The same message with other contents. */
  withContent(value: unknown): Envelope {
    const [header, parent, metadata] = this.parts;
    return new Envelope([header, parent, metadata, JSON.stringify(value)], this.topics);
  }

  /** `execute_reply`, `stream`, … */
  get type(): string {
    return String((JSON.parse(this.parts[0]) as Header).msg_type);
  }

  /** Its own number. */
  get id(): string {
    return String((JSON.parse(this.parts[0]) as Header).msg_id);
  }

  /** Of the request that it answers; "" for none. */
  get parentId(): string {
    return String((JSON.parse(this.parts[1]) as Header | null)?.msg_id ?? "");
  }

  /** By type. */
  get content(): Record<string, unknown> {
    return JSON.parse(this.parts[3]);
  }
}

function sign(parts: readonly string[], key: string): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}
