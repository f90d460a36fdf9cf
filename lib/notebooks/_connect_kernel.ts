import { setTimeout as sleep } from "node:timers/promises";
import { ZmtpSocket } from "./_zmtp.ts";

const RETRY_MS = 20, ANSWER_MS = 5000;

/** Tries until the kernel listens; who accepts but does not answer is another program. */
export async function connectKernel(
  port: number,
  type: "DEALER" | "SUB",
  deadline: number,
  check: () => void,
  identity = "",
): Promise<ZmtpSocket> {
  for (;;) {
    check();
    const attempt = ZmtpSocket.connect(port, type, identity);
    const result = await Promise.race([
      attempt.catch((error: unknown) => error),
      sleep(ANSWER_MS).then(() => new Error(`nobody answers at port ${port}`)),
    ]);
    if (result instanceof ZmtpSocket) return result;
    attempt.then((late) => late.close(), () => {});
    if (performance.now() > deadline) throw result;
    await sleep(RETRY_MS);
  }
}
