import type { KernelPorts } from "./_ports.ts";

/** How a front end wants to reach a kernel. */
export interface KernelConnection {
  /** Signs messages. */
  readonly key: string;
  /** Where it listens. */
  readonly ports: KernelPorts;
}

const PORTS = {
  shell: "shell_port",
  iopub: "iopub_port",
  stdin: "stdin_port",
  control: "control_port",
  heartbeat: "hb_port",
} as const;

/** Reads the file that a front end writes for a kernel. */
export function readConnection(path: string): KernelConnection {
  const fail = (expected: string, found: unknown): never => {
    throw new SyntaxError(
      `Cannot read the connection file ${path}: ${expected}, current value is ` +
        `${JSON.stringify(found) ?? "nothing"}. It is written by Jupyter, which starts kernels.`,
    );
  };
  let file: Record<string, unknown>;
  try {
    file = Object(JSON.parse(Deno.readTextFileSync(path)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return fail("it must be JSON", error.message);
  }
  const { transport, signature_scheme, key } = file;
  if (transport !== "tcp") return fail("transport must be tcp", transport);
  if (signature_scheme !== "hmac-sha256") {
    return fail("signature_scheme must be hmac-sha256", signature_scheme);
  }
  if (typeof key !== "string") return fail("key must be text", key);
  const ports = Object.fromEntries(
    Object.entries(PORTS).map(([name, field]) => {
      const port = file[field];
      if (!Number.isInteger(port) || port as number < 1 || port as number > 65535) {
        fail(`${field} must be a port`, port);
      }
      return [name, port as number];
    }),
  ) as unknown as KernelPorts;
  return { key, ports };
}
