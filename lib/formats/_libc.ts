const AT_FDCWD = -100; // <fcntl.h>, Linux
const RENAME_EXCHANGE = 2; // <linux/fs.h>
const RENAME_SWAP = 2; // <sys/stdio.h>, macOS

/**
 * Exchanges two paths in one step of the file system: Linux' `renameat2(RENAME_EXCHANGE)`, macOS'
 * `renamex_np(RENAME_SWAP)`.
 *
 * @returns whether it was done; false where system or file system have no such step
 */
export function exchangePaths(a: string, b: string): boolean {
  const paths = [a, b].map((path) => new TextEncoder().encode(`${path}\0`)) as [
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>,
  ];
  try {
    if (Deno.build.os === "linux") {
      const libc = Deno.dlopen("libc.so.6", {
        renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
      });
      return libc.symbols.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) === 0;
    }
    if (Deno.build.os === "darwin") {
      const libc = Deno.dlopen("libSystem.dylib", {
        renamex_np: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
      });
      return libc.symbols.renamex_np(paths[0], paths[1], RENAME_SWAP) === 0;
    }
  } catch {
    // No such function or no permission: the caller has another way.
  }
  return false;
}
