import { join } from "node:path";
import { freePorts } from "../../lib/notebooks/_ports.ts";
import { temporaryFolder } from "../_temporary.ts";

/** Whether `jupyter lab` can be started. */
export function hasJupyterLab(): boolean {
  try {
    return new Deno.Command("jupyter", {
      args: ["lab", "--version"],
      ...{ stdout: "null", stderr: "null" },
    }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** JupyterLab's server, with settings of its own that nobody else sees. */
export class JupyterLab implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #settings: string;
  /** Where it is reached, without a slash at the end. */
  readonly url: string;

  private constructor(child: Deno.ChildProcess, settings: string, url: string) {
    this.#child = child;
    this.#settings = settings;
    this.url = url;
  }

  /** Starts it in a folder. */
  static async start(
    root: string,
    { jupyterPath, env = {} }: {
      readonly jupyterPath: string;
      readonly env?: Readonly<Record<string, string>>;
    },
  ): Promise<JupyterLab> {
    const port = freePorts().shell;
    const settings = temporaryFolder();
    const child = new Deno.Command("jupyter", {
      args: [
        ...["lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", `--port=${port}`],
        ...[
          "--ServerApp.port_retries=0",
          "--IdentityProvider.token=",
          `--ServerApp.root_dir=${root}`,
        ],
        ...[
          "--LabApp.expose_app_in_browser=True",
          "--LabApp.news_url=",
          "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
      ],
      env: {
        ...env,
        JUPYTER_PATH: jupyterPath,
        ...Object.fromEntries(
          ["CONFIG", "DATA", "RUNTIME"].map((kind) => [
            `JUPYTER_${kind}_DIR`,
            join(settings, kind.toLowerCase()),
          ]),
        ),
      },
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    const lab = new JupyterLab(child, settings, `http://127.0.0.1:${port}`);
    let isOver = false;
    child.status.then(() => isOver = true);
    const deadline = performance.now() + 60_000;
    while (!await answers(`${lab.url}/api/status`)) {
      if (isOver || performance.now() > deadline) {
        await lab[Symbol.asyncDispose]();
        throw new Error("JupyterLab did not start");
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM"); // it ends its kernels
    } catch {
      // it has ended
    }
    await this.#child.status;
    Deno.removeSync(this.#settings, { recursive: true });
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
