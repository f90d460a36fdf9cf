import assert from "node:assert/strict";
import { type DemonstrationOptions, ensureDemonstration } from "../../lib/demonstration/mod.ts";
import { contents, inFolder } from "./_folders.ts";

Deno.test("killed at any moment it goes on and ends with the same files", async () => {
  await inFolder(async (whole) => {
    const { folder } = await ensureDemonstration(whole);
    const expected = contents(folder);
    await inFolder(async (options) => {
      const stopped: (string | null)[] = [];
      for (const wait of [200, 700, 1200]) { // ms after its first word
        const { child, heard } = start(options);
        await heard;
        await new Promise((resume) => setTimeout(resume, wait));
        try {
          child.kill("SIGKILL");
        } catch {
          // it has ended
        }
        stopped.push((await child.status).signal);
        await Promise.all(
          [child.stdout.cancel(), child.stderr.cancel()].map((end) => end.catch(() => {})),
        );
      }
      assert.equal(stopped[0], "SIGKILL", "it was at work when it was killed");
      const { folder: resumed } = await ensureDemonstration(options);
      assert.deepEqual(contents(resumed), expected);
      assert.equal((await ensureDemonstration(options)).madeFeatures, 0);
    });
  });
});

Deno.test("two processes at once make everything once", async () => {
  await inFolder(async (options) => {
    const ends = await Promise.all([0, 1].map(async () => {
      const { stdout, stderr } = await command(options).output();
      return [
        JSON.parse(new TextDecoder().decode(stdout)),
        new TextDecoder().decode(stderr),
      ] as const;
    }));
    assert.equal(ends[0]![0].madeEpisodes + ends[1]![0].madeEpisodes, 2);
    const { folder, madeEpisodes, madeFeatures } = await ensureDemonstration(options);
    assert.deepEqual([madeEpisodes, madeFeatures], [0, 0]);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "Blue_point",
      "lock",
    ]);
  });
});

function command(options: DemonstrationOptions): Deno.Command {
  const program = new URL("./_process.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, JSON.stringify(options)],
    stdout: "piped",
    stderr: "piped",
  });
}

function start(options: DemonstrationOptions) {
  const child = command(options).spawn();
  const reader = child.stderr.getReader();
  const heard = reader.read().then(() => reader.releaseLock());
  return { child, heard };
}
