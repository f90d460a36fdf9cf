const KEPT = 5;
const LONGEST = 10_000;

/** Splits a stream into lines, and keeps the last of them. */
export class LastLines {
  /** The last lines that were not empty. */
  readonly lines: string[] = [];

  /** Reads to the end of the stream. */
  async listen(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    onLine: (line: string) => void,
  ): Promise<void> {
    const take = (line: string) => {
      if (line.trim() === "") return;
      this.lines.push(line);
      if (this.lines.length > KEPT) this.lines.shift();
      onLine(line);
    };
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const pieces = (rest + text).split(/\r?\n/);
      rest = pieces.pop()!;
      pieces.forEach(take);
      if (rest.length > LONGEST) {
        take(rest);
        rest = "";
      }
    }
    take(rest);
  }
}
