/** Starts the native engine from a TensorFlow that was found. */
import { setNativeBackend, startedBackend } from "./_active.ts";
import { TensorFlowBackend } from "./_backend.ts";
import { TensorFlowBinding } from "./_binding.ts";
import { newContext } from "./_context.ts";
import {
  allowJointLoops,
  ERROR,
  expectNoOtherLlvm,
  FATAL,
  keepFreedMemory,
  silence,
  withoutStandardError,
} from "./_environment.ts";
import { type Library, openLibrary, type Pointer } from "./_library.ts";

/** How the native engine is started. */
export interface StartTensorFlowOptions {
  /** Threads inside one op. @default {the number of logical CPUs} */
  readonly intraOpThreads?: number;
  /** Threads across ops. @default {the number of logical CPUs} */
  readonly interOpThreads?: number;
  /** Lets TensorFlow's own log through. @default {false} */
  readonly verbose?: boolean;
  /** Makes the context one of several processes' before anything is computed with it. */
  readonly connect?: (library: Library, context: Pointer) => Promise<void>;
}

/**
 * Opens TensorFlow's libraries, makes a context and registers tfjs's backend `tensorflow` on it.
 * Starting twice returns the first start's backend.
 *
 * @param libraries Full paths of `libtensorflow_framework` and `libtensorflow_cc`.
 * @param options Threads, log, other processes.
 * @throws {Error} If a library cannot be opened or TensorFlow cannot start.
 */
export async function startTensorFlow(
  libraries: { readonly framework: string; readonly cc: string },
  options: StartTensorFlowOptions = {},
): Promise<TensorFlowBackend> {
  const started = startedBackend();
  if (started !== undefined) return started;
  const cpus = navigator.hardwareConcurrency;
  const { intraOpThreads = cpus, interOpThreads = cpus, verbose = false, connect } = options;
  expectNoOtherLlvm();
  keepFreedMemory();
  allowJointLoops();
  const threads = { intraOpThreads, interOpThreads };
  const open = () => {
    const library = openLibrary(libraries);
    // What other processes' ends make TensorFlow log is in the errors of the ops that waited for them.
    if (!verbose) silence(libraries.framework, connect === undefined ? ERROR : FATAL);
    return { library, context: newContext(library, threads) };
  };
  const { library, context } = verbose ? open() : withoutStandardError(open);
  await connect?.(library, context);
  const binding = new TensorFlowBinding(library, threads, context);
  const native = await TensorFlowBackend.register(binding);
  setNativeBackend(native);
  return native;
}
