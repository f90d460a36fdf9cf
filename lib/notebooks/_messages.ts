import { randomUUID } from "node:crypto";
import { Envelope } from "./_envelope.ts";

/** A message of Jupyter's protocol, as received. */
export interface KernelMessage {
  /** `execute_reply`, `stream`, … */
  readonly type: string;
  /** Of the request that it answers; "" for none. */
  readonly parent: string;
  /** By type. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** Writes and reads the messages of one session, signed with its key. */
export class MessageCodec {
  readonly #key: string;
  readonly #session = randomUUID();

  /** @param key of the connection file */
  constructor(key: string) {
    this.#key = key;
  }

  /** A message as frames, and its id; `parent`: header of the request that it answers. */
  encode(
    type: string,
    content: unknown,
    parent = "{}",
  ): { id: string; frames: (Uint8Array | string)[] } {
    const id = randomUUID();
    const header = {
      msg_id: id,
      msg_type: type,
      username: "trocar",
      session: this.#session,
      date: new Date().toISOString(),
      version: "5.3",
    };
    const parts = [JSON.stringify(header), parent, "{}", JSON.stringify(content)] as const;
    return { id, frames: new Envelope(parts).frames(this.#key) };
  }

  /** A message from its frames; null if it is not signed with the session's key. */
  decode(frames: readonly Uint8Array[]): KernelMessage | null {
    const envelope = Envelope.open(frames, this.#key);
    if (envelope === null) return null;
    return { type: envelope.type, parent: envelope.parentId, content: envelope.content };
  }
}
