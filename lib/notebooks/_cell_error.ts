import type { KernelMessage } from "./_messages.ts";

/** The kernel calls both "null". */
const NOTHING_THROWN = "undefined was thrown (or null: the kernel does not tell them apart)";

/** What a cell threw, by its reply or by what was published for it; null if nothing. */
export function cellError(
  reply: KernelMessage["content"],
  messages: readonly KernelMessage[],
): string | null {
  const published = messages.findLast(({ type }) => type === "error")?.content;
  if (reply.status !== "error" && published === undefined) return null;
  const { ename, evalue, traceback } = published ?? reply;
  const trace = (traceback as string[] | undefined)?.join("\n") ?? "";
  if (ename === "Error" && evalue === "null" && trace === "") return NOTHING_THROWN;
  const said = `${ename}: ${evalue}`;
  return trace.startsWith(said) ? trace : trace === "" ? said : `${said}\n${trace}`;
}

/** What went wrong without anybody catching it; null if nothing did. */
export function uncaughtError(list: unknown): string | null {
  const all = list as { what: string; name: string; message: string; stack: string }[] | undefined;
  if (all === undefined || all.length === 0) return null;
  return all.map(({ what, name, message }) =>
    (what === "rejection"
      ? "a promise was rejected that nobody awaits: "
      : "an error that nobody caught: ") + `${name}: ${message}`
  ).join("\n");
}
