import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseTfConfig } from "trocar/engine";
import { Gathering, localPlaces, tfConfig } from "../../lib/launch/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const script = (name: string) =>
  fileURLToPath(new URL(`../../scripts/${name}.ts`, import.meta.url));

interface Document {
  readonly episodes: readonly {
    readonly path: string;
    readonly ok: boolean;
    readonly rows: number;
  }[];
  readonly planned: number;
  readonly hit: number;
  readonly built: number;
  readonly failed: number;
  readonly bytes: number;
}

async function run(
  name: string,
  ...args: string[]
): Promise<{ code: number; document: Document; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script(name), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const out = decoder.decode(stdout);
  return { code, document: JSON.parse(out || "{}"), err: decoder.decode(stderr) };
}

/** Every file below a folder and its digest. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) {
      for (const [path, digest] of Object.entries(await contents(`${folder}/${name}`))) {
        found[`${name}/${path}`] = digest;
      }
    } else {
      const bytes = await Deno.readFile(`${folder}/${name}`);
      found[name] = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toHex();
    }
  }
  return found;
}

Deno.test("preprocess and cache:build in three processes make what one makes", async () => {
  const folder = temporaryFolder();
  const data = `${folder}/data`;
  const made = await run(
    "phantom",
    ...["--output", data, "--episodes", "3", "--layout", "new-dataset2", "--json"],
    ...["--seconds", "3", "--raster", "40"],
  );
  assert.equal(made.code, 0, made.err);
  // A recording that cannot be used belongs to some process too.
  await Deno.mkdir(`${data}/recv_all_20200101_000000`);
  const launched = ["launch", "--processes", "3", "--"] as const;

  const one = await run("preprocess", data, "--output", `${folder}/one`, "--json");
  const three = await run(
    ...[...launched, "preprocess", data, "--output", `${folder}/three`, "--json"] as const,
  );
  assert.deepEqual([one.code, three.code], [1, 1], three.err);
  const episodes = ({ document }: typeof one) =>
    document.episodes.map((
      { path, ok, rows },
    ) => [path, ok, rows]);
  assert.deepEqual(episodes(three), episodes(one));
  assert.equal(episodes(three).length, 4);
  assert.deepEqual(await contents(`${folder}/three`), await contents(`${folder}/one`));
  assert.doesNotMatch(three.err, /has ended with/);

  const build = (cache: string) => ["cache:build", `${folder}/one`, "--cache", cache, "--json"];
  const [, ...alone] = build(`${folder}/cache1`);
  const whole = await run("cache_build", ...alone);
  const parts = await run(...launched, ...build(`${folder}/cache3`));
  assert.deepEqual([whole.code, parts.code], [0, 0], parts.err);
  for (const field of ["planned", "built", "failed", "bytes"] as const) {
    assert.equal(parts.document[field], whole.document[field], field);
  }
  assert.ok(whole.document.built > 0);
  const again = await run(...launched, ...build(`${folder}/cache3`));
  assert.equal(again.document.built, 0);
  assert.equal(again.document.hit, whole.document.planned);
});

Deno.test("Gathering names a process that does not come, and one that ends too early", async () => {
  const [first, second] = localPlaces(2).map((place) => parseTfConfig(tfConfig(place))!);
  await assert.rejects(
    Gathering.open(first!, { timeout: 0.2 }),
    /rank 1 \(127\.0\.0\.1:\d+\) did not/,
  );
  await assert.rejects(Gathering.open(second!, { timeout: 0.2 }), /does not answer/);
  const abort = AbortSignal.timeout(100);
  await assert.rejects(Gathering.open(first!, { signal: abort }), { name: "TimeoutError" });
  const [zero, one] = await Promise.all([Gathering.open(first!), Gathering.open(second!)]);
  one[Symbol.dispose]();
  await assert.rejects(zero.gather(1), /rank 1 .* has ended/);
  zero[Symbol.dispose]();
});

Deno.test("Gathering passes large values, and lets strangers knock", async () => {
  const [first, second] = localPlaces(2).map((place) => parseTfConfig(tfConfig(place))!);
  const opening = Gathering.open(first!);
  const stranger = await Deno.connect({ port: Number(first!.addresses[0]!.split(":")[1]) });
  await stranger.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const [zero, one] = await Promise.all([opening, Gathering.open(second!)]);
  const large = "ü".repeat(500_000);
  const found = await Promise.all([zero.gather("a"), one.gather(large)]);
  assert.deepEqual(found, [["a", large], null]);
  for (const each of [zero, one, stranger]) each[Symbol.dispose]();
});
