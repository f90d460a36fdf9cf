import { join } from "node:path";

/** A place where TensorFlow may be, before its libraries are looked at. */
export interface Candidate {
  readonly folder: string;
  /** Undefined when the place does not tell. */
  readonly version?: string;
}

/** Finds the package without importing it, which would take seconds. */
const FIND_PACKAGE = `
import importlib.metadata, importlib.util, json, sys
sys.path = [p for p in sys.path if p != ""]
spec = importlib.util.find_spec("tensorflow")
folders = list(spec.submodule_search_locations or []) if spec else []
version = None
for name in ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-cpu-aws",
             "tensorflow-rocm", "intel-tensorflow", "tf-nightly", "tf-nightly-cpu"):
    if folders and version is None:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
print(json.dumps({"folder": folders[0] if folders else None, "version": version}))
`;
const PYTHON_TIMEOUT_MS = 10_000;

/** The TensorFlow that `import tensorflow` would find. */
export async function pythonCandidate(
  python: readonly string[] = ["python3"],
): Promise<Candidate | undefined> {
  const [program = "python3", ...first] = python;
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args: [...first, "-c", FIND_PACKAGE],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(PYTHON_TIMEOUT_MS),
    }).output();
    if (!success) return undefined;
    const { folder, version } = JSON.parse(new TextDecoder().decode(stdout));
    if (typeof folder !== "string") return undefined;
    return typeof version === "string" ? { folder, version } : { folder };
  } catch {
    // No Python, or one that does not answer: then there is no package either.
    return undefined;
  }
}

/** Folders in which a system-wide libtensorflow lies, as the loader and the custom have it. */
export async function systemFolders(): Promise<string[]> {
  const usual = Deno.build.os === "darwin"
    ? ["/opt/homebrew/lib", "/usr/local/lib"]
    : ["/usr/local/lib", "/usr/lib", "/usr/lib64", `/usr/lib/${Deno.build.arch}-linux-gnu`];
  return [...new Set([...await loaderFolders(), ...usual])];
}

async function loaderFolders(): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  for (const program of ["ldconfig", "/sbin/ldconfig"]) {
    try {
      const { stdout } = await new Deno.Command(program, {
        args: ["-p"],
        stdin: "null",
        stderr: "null",
      }).output();
      const text = new TextDecoder().decode(stdout);
      return [...text.matchAll(/=> (\/.*)\/libtensorflow[^/]*$/gm)].map((match) => match[1]!);
    } catch {
      // Not there, or not allowed: try the next.
    }
  }
  return [];
}

/**
 * The version of the libraries in a folder, without loading them: from the Python package's
 * metadata beside it, or from the file that the library's link points to.
 */
export async function versionOf(folder: string, library: string): Promise<string | undefined> {
  try {
    for await (const entry of Deno.readDir(join(folder, ".."))) {
      const match = /^tensorflow\w*-(\d+\.\d+[\w.]*)\.dist-info$/.exec(entry.name);
      if (match) return match[1];
    }
  } catch {
    // The parent may not be readable; the library itself is what counts.
  }
  const real = await Deno.realPath(library).catch(() => library);
  return /\.(?:so\.|)(\d+\.\d+\.\d+[\w.-]*?)(?:\.dylib)?$/.exec(real)?.[1];
}
