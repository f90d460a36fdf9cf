import assert from "node:assert/strict";
import { dirname } from "node:path";
import { diagnoseData } from "../../lib/episodes/doctor/mod.ts";
import type { Finding } from "../../lib/episodes/recording.ts";
import { type TinyOptions, tinyRecording } from "./_tiny_recording.ts";

/** One thing wrong with a recording, and what the doctor says about it. */
export interface DoctorCase {
  readonly does: string;
  readonly recording: TinyOptions;
  /** Spoils the recording in its folder. */
  readonly spoil?: (folder: string) => void;
  readonly severity: Finding["severity"];
  readonly code: string;
  /** Part of `where`. */
  readonly where?: string;
  readonly message: RegExp;
}

/** A test for each case: the finding is there, and errors alone are not ok. */
export function testCases(cases: readonly DoctorCase[]): void {
  for (const { does, recording, spoil, severity, code, where, message } of cases) {
    Deno.test(`${code} (${severity}): ${does}`, async () => {
      const folder = tinyRecording(recording);
      spoil?.(folder);
      const { ok, findings, recordings } = await diagnoseData([dirname(folder)]);
      const found = findings.filter((finding) =>
        finding.code === code && finding.severity === severity &&
        finding.where.includes(where ?? "") && message.test(finding.message)
      );
      assert.ok(found.length > 0, JSON.stringify(findings, null, 1));
      assert.ok(found.every((finding) => finding.where.includes(dirname(folder))));
      assert.equal(ok, findings.every((finding) => finding.severity !== "error"));
      if (severity === "error") assert.ok(!ok && recordings[0]!.errors > 0);
    });
  }
}
