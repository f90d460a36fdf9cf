import type { KernelPorts } from "./_ports.ts";

const LAST_WORDS = 2000;
const KERNEL = [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"];

/**
 * Starts Deno's kernel, or the program `argv`, in which `{connection_file}` stands for that file.
 *
 * @param file where its connection file is written; the caller removes it
 * @returns the process, and the end of what it wrote to standard error so far
 */
export function spawnKernel(
  file: string,
  { shell, iopub, stdin, control, heartbeat }: KernelPorts,
  key: string,
  { cwd, env, argv = KERNEL }: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly argv?: readonly string[];
  },
): { child: Deno.ChildProcess; lastWords: () => string } {
  Deno.writeTextFileSync(
    file,
    JSON.stringify({
      ...{ transport: "tcp", ip: "127.0.0.1", kernel_name: "deno" },
      ...{ key, signature_scheme: "hmac-sha256" },
      ...{ shell_port: shell, iopub_port: iopub, stdin_port: stdin },
      ...{ control_port: control, hb_port: heartbeat },
    }),
  );
  const [program, ...args] = argv.map((part) => part === "{connection_file}" ? file : part);
  const child = new Deno.Command(program!, {
    args,
    cwd,
    env: { NO_COLOR: "1", ...env },
    detached: true, // a group of its own, which ends as a whole
    ...{ stdin: "piped", stdout: "null", stderr: "piped" },
  }).spawn();
  return { child, lastWords: collectTail(child.stderr) };
}

/** Ends a kernel that {@linkcode spawnKernel} started, with everything that its cells started. */
export function killKernel({ pid }: Deno.ChildProcess): void {
  for (const id of Deno.build.os === "windows" ? [pid] : [-pid, pid]) {
    try {
      Deno.kill(id, "SIGKILL");
    } catch {
      // it has ended
    }
  }
}

function collectTail(stream: ReadableStream<Uint8Array>): () => string {
  let text = "";
  (async () => {
    for await (const part of stream.pipeThrough(new TextDecoderStream() as never)) {
      text = (text + part).slice(-LAST_WORDS);
    }
  })().catch(() => {});
  return () => text.replace(/^Warning "deno jupyter" is unstable.*\n?/m, "");
}
