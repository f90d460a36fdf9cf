import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder, temporaryPath } from "./_temporary.ts";

const helper = new URL("./_temporary.ts", import.meta.url).href;
const runner = fileURLToPath(new URL("../scripts/test.ts", import.meta.url));

/** A test file whose only test makes a folder and then does something. */
function testFile(statement: string): string {
  const path = temporaryPath("some_test.ts");
  Deno.writeTextFileSync(
    path,
    `import { temporaryFolder } from "${helper}";
     Deno.test("some", () => {
       Deno.mkdirSync(temporaryFolder() + "/deep/in/it", { recursive: true });
       ${statement}
     });`,
  );
  return path;
}

async function deno(temporary: string, ...args: string[]): Promise<{ code: number; out: string }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1", TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    stderr: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout) };
}

const test = (temporary: string, statement: string) =>
  deno(temporary, "test", "-A", "--no-check", testFile(statement));
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);

Deno.test("temporaryFolder() is gone after tests that pass, and after tests that fail", async () => {
  for (const [statement, expected] of [["", 0], ["throw new Error();", 1]] as const) {
    const temporary = temporaryFolder();
    assert.equal((await test(temporary, statement)).code, expected);
    assert.deepEqual(names(temporary), []);
  }
});

Deno.test({
  name: "temporaryFolder() removes what a killed process has left, and nothing else",
  ignore: Deno.build.os === "windows", // a process that kills itself
  fn: async () => {
    const temporary = temporaryFolder();
    const others = [`trocar-test-${Deno.pid}-1`, "trocar-test-1", "other"];
    for (const name of others) Deno.mkdirSync(`${temporary}/${name}`);
    assert.notEqual((await test(temporary, `Deno.kill(Deno.pid, "SIGKILL");`)).code, 0);
    assert.equal(names(temporary).length, others.length + 1);
    assert.equal((await test(temporary, "")).code, 0);
    assert.deepEqual(names(temporary).sort(), others.sort());
  },
});

Deno.test("deno task test fails a file that leaves something, and removes it", async () => {
  const temporary = temporaryFolder();
  const { code, out } = await deno(
    temporary,
    ...["run", "-A", "--no-check", runner, testFile("Deno.makeTempFileSync({ prefix: 'left-' });")],
  );
  assert.equal(code, 1);
  assert.match(out, /some_test\.ts left left-\w+ in its temporary folder\n1 passed, 1 failed\n$/);
  assert.deepEqual(names(temporary), []);
});

Deno.test("files of one deno task test share a folder, which is gone afterwards", async () => {
  const files = ["a", "b"].map((name) => {
    const path = temporaryPath(`${name}_test.ts`);
    Deno.writeTextFileSync(
      path,
      `import { sharedFolder } from "${helper}";
       Deno.test("${name}", () => console.log("shared:", sharedFolder("some")));`,
    );
    return path;
  });
  const temporary = temporaryFolder();
  const { code, out } = await deno(temporary, ...["run", "-A", "--no-check", runner], ...files);
  assert.equal(code, 0, out);
  const [one, other, ...more] = [...out.matchAll(/^shared: (\S+)$/gm)].map(([, path]) => path!);
  assert.equal(one, other);
  assert.ok(one!.startsWith(temporary) && more.length === 0, out);
  assert.deepEqual(names(temporary), []);
});

Deno.test({
  name: "deno task test ends the processes that a file leaves",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const pid = temporaryPath("pid");
    const { code, out } = await deno(
      temporaryFolder(),
      ...["run", "-A", "--no-check", runner],
      testFile(`
        const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
        child.unref();
        Deno.writeTextFileSync(${JSON.stringify(pid)}, String(child.pid));`),
    );
    assert.equal(code, 0, out); // it has not waited for the process, which holds the output open
    const { stdout } = new Deno.Command("ps", {
      args: ["-o", "stat=", "-p", Deno.readTextFileSync(pid)],
    }).outputSync();
    assert.match(new TextDecoder().decode(stdout), /^(Z.*\n)?$/, "it has ended");
  },
});
