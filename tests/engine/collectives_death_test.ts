import assert from "node:assert/strict";
import { localPlaces, tfConfig } from "../../lib/launch/place.ts";
import { child, cluster, clusterTest } from "./_cluster.ts";

for (const [what, who] of [["kill", 0], ["kill", 1], ["exit", 1], ["barrier", 1]] as const) {
  clusterTest(`a cluster ends with a clear error when rank ${who} ends (${what})`, async () => {
    const start = performance.now();
    const ends = await cluster(2, what, String(who));
    assert.equal(ends[who]!.code, what === "exit" ? 0 : 137);
    const { code, document } = ends[1 - who]!;
    assert.equal(code, 1);
    assert.match(
      String(document.error),
      new RegExp(`process ${who} of 2 \\(worker ${who}, 127.0.0.1:\\d+\\) has ended`),
    );
    assert.ok(performance.now() - start < 60_000, "too slow");
  });
}

clusterTest("three processes end when one of them is killed", async () => {
  const ends = await cluster(3, "kill", "1");
  assert.deepEqual(ends.map(({ code }) => code), [1, 137, 1]);
});

for (const rank of [0, 1]) {
  clusterTest(`startEngine() names the process that does not come to rank ${rank}`, async () => {
    const place = localPlaces(2)[rank]!;
    const { code, document } = await child(["everything"], {
      TF_CONFIG: tfConfig(place),
      TROCAR_JOIN_SECONDS: "2",
    });
    assert.equal(code, 1);
    assert.match(
      String(document.error),
      new RegExp(
        `after 2 s process ${1 - rank} of 2 .*${place.addresses[1 - rank]}\\) has not come`,
      ),
    );
  });
}

clusterTest("startEngine() names the port that is taken", async () => {
  const place = localPlaces(2)[1]!;
  const port = Number(place.addresses[1]!.split(":")[1]);
  using _taken = Deno.listen({ port });
  const { code, document } = await child(["everything"], { TF_CONFIG: tfConfig(place) });
  assert.equal(code, 1);
  assert.match(String(document.error), new RegExp(`cannot listen on port ${port}`));
});
