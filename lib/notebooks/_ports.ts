/** The ports of a kernel, each by its task. */
export interface KernelPorts {
  readonly shell: number;
  readonly iopub: number;
  readonly stdin: number;
  readonly control: number;
  readonly heartbeat: number;
}

/** Ports of this machine that nobody listens at, all different. */
export function freePorts(): KernelPorts {
  const listeners: Deno.TcpListener[] = [];
  const open = () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listeners.push(listener);
    return listener.addr.port;
  };
  try {
    return { shell: open(), iopub: open(), stdin: open(), control: open(), heartbeat: open() };
  } finally {
    for (const listener of listeners) listener.close();
  }
}
