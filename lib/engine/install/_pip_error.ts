import { InstallError } from "./install_error.ts";
import { megabytes } from "./_space.ts";
import type { Wheel } from "./_wheel.ts";

const NETWORK = new RegExp(
  "Temporary failure in name resolution|Name or service not known|nodename nor servname|" +
    "Failed to establish a new connection|NewConnectionError|ConnectTimeout|ReadTimeout|" +
    "Connection refused|Network is unreachable|Connection aborted|ConnectionReset|ProxyError|" +
    "SSLError|CERTIFICATE_VERIFY_FAILED|Max retries exceeded|timed out",
  "i",
);

/**
 * Turns the way pip ended into an error that says what to do.
 *
 * @param wheel what was to be downloaded
 * @param program the program that was started
 * @param text what it printed
 * @param status exit code or signal; undefined when it could not be started at all
 */
export function pipError(
  wheel: Wheel,
  program: string,
  text: string,
  status: number | string | undefined,
): InstallError {
  const what = `${wheel.project} ${wheel.version}`;
  const byHand = `Or get ${wheel.file} on another machine and name its folder in PIP_FIND_LINKS, ` +
    "or name a folder with TensorFlow's libraries in TROCAR_TENSORFLOW.";
  if (status === undefined || isMissingPython(text, status)) {
    return new InstallError(
      "no-python",
      `Cannot download ${what}: ${program} cannot be started (${lastLines(text, 1)}). ` +
        `Install Python 3 and pip (Debian, Ubuntu: apt install python3 python3-pip). ${byHand}`,
    );
  }
  if (/No module named '?pip\b/.test(text)) {
    return new InstallError(
      "no-pip",
      `Cannot download ${what}: ${program} has no pip. Install it ` +
        "(Debian, Ubuntu: apt install python3-pip; elsewhere: python3 -m ensurepip --user). " +
        byHand,
    );
  }
  if (/No space left on device|\[Errno 28\]/.test(text)) {
    return new InstallError(
      "no-space",
      `Cannot download ${what} (${megabytes(wheel.bytes)}): the disk is full. Make room, or set ` +
        "TROCAR_CACHE to a folder on a larger disk. Nothing half-written was left behind.",
    );
  }
  if (NETWORK.test(text)) {
    return new InstallError(
      "no-network",
      `Cannot download ${what}: pip does not reach its package index. Check the network, the ` +
        "proxy (HTTPS_PROXY) and pip's index (PIP_INDEX_URL). pip's last words:\n" +
        `${lastLines(text, 4)}\n${byHand}`,
    );
  }
  const offers = /from versions: none/.test(text)
    ? "The package index could not be reached, or does not offer this wheel. "
    : "";
  return new InstallError(
    "pip-failed",
    `Cannot download ${what}: pip ended with ${status}. ${offers}pip's last words:\n` +
      `${lastLines(text, 8)}\n${byHand}`,
  );
}

/** A launcher such as pyenv's exists without any Python behind it. */
function isMissingPython(text: string, status: number | string): boolean {
  return status === 127 || /python3: (command )?not found/.test(text);
}

function lastLines(text: string, count: number): string {
  // Whatever runs as python3 may print anything; a terminal must not obey it.
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\ufffd]/g, "");
  const lines = plain.split("\n").map((line) => line.slice(0, 500).trimEnd()).filter((line) =>
    line !== ""
  );
  return lines.slice(-count).map((line) => `  ${line}`).join("\n").trimStart();
}
