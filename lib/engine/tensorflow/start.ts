/** Starts the native engine from a TensorFlow that was found. */
import { setNativeBackend, startedBackend } from "./_active.ts";
import { TensorFlowBackend } from "./_backend.ts";
import { TensorFlowBinding } from "./_binding.ts";
import {
  expectNoOtherLlvm,
  keepFreedMemory,
  silence,
  withoutStandardError,
} from "./_environment.ts";
import { openLibrary } from "./_library.ts";

/** How the native engine is started. */
export interface StartTensorFlowOptions {
  /** Threads inside one op. @default {the number of logical CPUs} */
  readonly intraOpThreads?: number;
  /** Threads across ops. @default {the number of logical CPUs} */
  readonly interOpThreads?: number;
  /** Lets TensorFlow's own log through. @default {false} */
  readonly verbose?: boolean;
}

/**
 * Opens TensorFlow's libraries, makes a context and registers tfjs's backend `tensorflow` on it.
 * Starting twice returns the first start's backend.
 *
 * @param libraries Full paths of `libtensorflow_framework` and `libtensorflow_cc`.
 * @param options Threads and log.
 * @throws {Error} If a library cannot be opened or TensorFlow cannot start.
 */
export async function startTensorFlow(
  libraries: { readonly framework: string; readonly cc: string },
  options: StartTensorFlowOptions = {},
): Promise<TensorFlowBackend> {
  const started = startedBackend();
  if (started !== undefined) return started;
  const cpus = navigator.hardwareConcurrency;
  const { intraOpThreads = cpus, interOpThreads = cpus, verbose = false } = options;
  expectNoOtherLlvm();
  keepFreedMemory();
  const open = () => {
    const library = openLibrary(libraries);
    if (!verbose) silence(libraries.framework);
    return new TensorFlowBinding(library, { intraOpThreads, interOpThreads });
  };
  const binding = verbose ? open() : withoutStandardError(open);
  const native = await TensorFlowBackend.register(binding);
  setNativeBackend(native);
  return native;
}
