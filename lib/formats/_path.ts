/** Whether there is something at a path; a link counts as what it leads to. */
export function isThere(path: string): boolean {
  return stat(path) !== undefined;
}

/** Whether a path is a file, or a link to one. */
export function isFile(path: string): boolean {
  return stat(path)?.isFile === true;
}

/** Whether a path is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  return stat(path)?.isDirectory === true;
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    const { NotFound, NotADirectory, FilesystemLoop } = Deno.errors;
    if ([NotFound, NotADirectory, FilesystemLoop].some((kind) => error instanceof kind)) {
      return undefined;
    }
    throw error;
  }
}
