import assert from "node:assert/strict";
import { encodePickle } from "../../lib/formats/mod.ts";
import { inspect } from "../../lib/inspect/mod.ts";
import { temporaryPath } from "../_temporary.ts";

Deno.test("an object that a pickle holds in many places is shown once", async () => {
  // BINPUT 0 after a dict, then 100 BINGET 0 in a list, six levels deep: 100^6 places, 2 kB.
  const bytes = [0x80, 0x02, 0x7d, 0x71, 0x00]; // PROTO 2, EMPTY_DICT, BINPUT 0
  for (let level = 0; level < 6; level++) {
    bytes.push(0x30, 0x5d, 0x71, level + 1, 0x28); // POP, EMPTY_LIST, BINPUT, MARK
    for (let k = 0; k < 100; k++) bytes.push(0x68, level); // BINGET
    bytes.push(0x65); // APPENDS
  }
  bytes.push(0x2e); // STOP
  const path = temporaryPath("wide.pkl");
  Deno.writeFileSync(path, Uint8Array.from(bytes));
  const began = performance.now();
  const { details } = await inspect(path);
  assert(performance.now() - began < 2000);
  assert.match(JSON.stringify(details), /shown above/);

  Deno.writeFileSync(path, encodePickle(["plain", [1, 2]] as never));
  assert.doesNotMatch(JSON.stringify((await inspect(path)).details), /shown above/);
});
