const MADV_HUGEPAGE = 14; // <sys/mman.h>, Linux
/** Below this the request costs more than it saves. */
const MIN_BYTES = 4 * 2 ** 20;
const PAGE = 4096n;

let advise: ((buffer: ArrayBuffer) => void) | undefined;

/**
 * New memory; where it is large, Linux is asked for huge pages as NumPy does. The first touch of
 * each page is most of what reading a large array costs.
 */
export function allocate(bytes: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes);
  if (bytes >= MIN_BYTES) {
    advise ??= openAdvise();
    advise(buffer);
  }
  return buffer;
}

/** Does nothing where the system has no such request or the program may not call it. */
function openAdvise(): (buffer: ArrayBuffer) => void {
  const isAllowed = Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  if (Deno.build.os !== "linux" || !isAllowed) return () => {};
  try {
    const { symbols } = Deno.dlopen("libc.so.6", {
      madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
    });
    return (buffer) => {
      const start = Deno.UnsafePointer.of(new Uint8Array(buffer));
      const page = (Deno.UnsafePointer.value(start) + PAGE - 1n) & ~(PAGE - 1n);
      const bytes = BigInt(buffer.byteLength) - 2n * PAGE;
      symbols.madvise(Deno.UnsafePointer.create(page), bytes, MADV_HUGEPAGE);
    };
  } catch {
    return () => {};
  }
}
