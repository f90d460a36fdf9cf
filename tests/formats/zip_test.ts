import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import { openRandomAccess } from "../../lib/formats/random_access_file.ts";
import { readZipDirectory, type ZipEntry } from "../../lib/formats/zip.ts";
import { readZipEntry } from "../../lib/formats/zip_stream.ts";
import { pythonTest } from "../engine/_install_fixtures.ts";

/** Python's zipfile, one archive per line of JSON. */
const SERVER = `
import json, os, sys, zipfile
for line in sys.stdin:
    job = json.loads(line)
    with zipfile.ZipFile(job["path"], "w") as z:
        z.comment = bytes(job["comment"])
        for f in job["files"]:
            info = zipfile.ZipInfo(f["name"])
            info.compress_type = 8 if f["deflate"] else 0
            info.external_attr = f["mode"] << 16
            with z.open(info, "w", force_zip64=f["zip64"]) as out:
                out.write(bytes(f["bytes"]) * f["times"])
    if job["zip64"]:
        # What zipfile writes only for 65,536 entries or 4 GB: sizes in zip64 records alone.
        import struct
        data = bytearray(open(job["path"], "rb").read())
        end = data.rindex(b"PK\\x05\\x06")
        count, size, start = struct.unpack_from("<HLL", data, end + 10)
        record = struct.pack("<LQHHLLQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count, size, start)
        locator = struct.pack("<LLQL", 0x07064b50, 0, end, 1)
        struct.pack_into("<HHLL", data, end + 8, 0xffff, 0xffff, 0xffffffff, 0xffffffff)
        open(job["path"], "wb").write(data[:end] + record + locator + data[end:])
    os.write(1, b".")
`;
import { temporaryFolder } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

interface Archive {
  files: {
    name: string;
    deflate: boolean;
    zip64: boolean;
    mode: number;
    bytes: number[];
    times: number;
  }[];
  comment: number[];
  zip64: boolean;
}

const file = fc.record({
  name: fc.stringMatching(/^[a-zäöü0-9_]{1,12}(\/[a-z0-9_.]{1,12})?$/),
  deflate: fc.boolean(),
  zip64: fc.boolean(),
  mode: fc.constantFrom(0o644, 0o755),
  bytes: fc.uint8Array({ maxLength: 300 }).map((array) => [...array]),
  times: fc.constantFrom(1, 1, 3, 5000),
});
const archive: fc.Arbitrary<Archive> = fc.record({
  files: fc.uniqueArray(file, { maxLength: 6, selector: ({ name }) => name }),
  comment: fc.uint8Array({ maxLength: 40 }).map((array) => [...array]),
  zip64: fc.boolean(),
});

async function withServer(
  fn: (make: (job: Archive) => Promise<string>) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder, "archive.zip");
  const server = new Deno.Command("python3", {
    args: ["-c", SERVER],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = server.stdin.getWriter(), reader = server.stdout.getReader();
  try {
    await fn(async (job) => {
      await writer.write(new TextEncoder().encode(JSON.stringify({ ...job, path }) + "\n"));
      const { value } = await reader.read();
      assert.equal(new TextDecoder().decode(value), ".");
      return path;
    });
  } finally {
    await writer.close();
    await reader.cancel();
    await server.status;
  }
}

function directory(path: string): ZipEntry[] {
  using file = openRandomAccess(path);
  return readZipDirectory(file);
}

async function contents(path: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const entry of directory(path)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of readZipEntry(path, entry)) pieces.push(new Uint8Array(piece));
    files.set(entry.name, new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()));
  }
  return files;
}

function expected(job: Archive): Map<string, Uint8Array> {
  return new Map(job.files.map(({ name, bytes, times }) => {
    const whole = new Uint8Array(bytes.length * times);
    for (let i = 0; i < times; i++) whole.set(bytes, i * bytes.length);
    return [name, whole];
  }));
}

/** The comment may by chance look like another end record: not what these tests are about. */
const isPlain = ({ comment }: Archive) => !comment.join().includes("80,75,5,6");

pythonTest("whatever Python's zipfile writes is read back the same", async () => {
  await withServer(async (make) => {
    await fc.assert(
      fc.asyncProperty(archive.filter(isPlain), async (job) => {
        const path = await make(job);
        assert.deepEqual(await contents(path), expected(job));
        const modes = directory(path).map(({ mode }) => mode);
        assert.deepEqual(modes, job.files.map(({ mode }) => mode));
      }),
      { numRuns: 120 },
    );
  });
});

pythonTest("a damaged archive is refused or read right, never read wrong", async () => {
  await withServer(async (make) => {
    const damage = fc.record({
      job: archive.filter((job) => job.files.length > 0 && isPlain(job)),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      flip: fc.integer({ min: 1, max: 255 }),
      cut: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ job, at, flip, cut }) => {
        const path = await make(job);
        const bytes = await Deno.readFile(path);
        const index = Math.floor(at * bytes.length);
        bytes[index]! ^= flip;
        await Deno.writeFile(path, cut ? bytes.subarray(0, index) : bytes);
        const whole = expected(job);
        let found: Map<string, Uint8Array>;
        try {
          found = await contents(path);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String((error as Error).stack));
          assert.match(error.message, /^Cannot read the archive .* at byte \d+: /);
          return;
        }
        for (const [name, data] of found) {
          if (whole.has(name)) assert.deepEqual(data, whole.get(name));
        }
      }),
      { numRuns: 200 },
    );
  });
});

pythonTest("an entry that unpacks to more than it says is stopped early", async () => {
  await withServer(async (make) => {
    const bytes = new Array(300).fill(0);
    const one = { name: "bomb", deflate: true, zip64: false, mode: 0o644, bytes, times: 100_000 };
    const path = await make({ files: [one], comment: [], zip64: false });
    const [entry] = directory(path);
    let read = 0;
    await assert.rejects(async () => {
      for await (const piece of readZipEntry(path, { ...entry!, size: 1000 })) read += piece.length;
    }, /should hold 1000 bytes/);
    assert.equal(read, 0);
  });
});
