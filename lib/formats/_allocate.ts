const MADV_HUGEPAGE = 14; // <sys/mman.h>, Linux
/** Below this the request costs more than it saves. */
const MIN_BYTES = 8 * 2 ** 20;
const PAGE = 4096n;

/**
 * New memory; where it is large, Linux is asked for huge pages as NumPy does. The first touch of
 * each page is most of what reading a large array costs.
 */
export function allocate(bytes: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes);
  if (bytes >= MIN_BYTES && Deno.build.os === "linux") adviseHugePages(buffer);
  return buffer;
}

/** Does nothing where the program may not call libraries. */
function adviseHugePages(buffer: ArrayBuffer): void {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
  try {
    const libc = Deno.dlopen("libc.so.6", {
      madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
    });
    const start = Deno.UnsafePointer.of(new Uint8Array(buffer));
    const page = (Deno.UnsafePointer.value(start) + PAGE - 1n) & ~(PAGE - 1n);
    const bytes = BigInt(buffer.byteLength) - 2n * PAGE;
    libc.symbols.madvise(Deno.UnsafePointer.create(page), bytes, MADV_HUGEPAGE);
    libc.close();
  } catch {
    // No such library, as with musl: only slower.
  }
}
