import { join } from "node:path";
import { InstallError } from "./install_error.ts";

/**
 * The folder in which trocar keeps what it can fetch or compute again.
 *
 * `TROCAR_CACHE` if set, otherwise the platform's rule: `$XDG_CACHE_HOME/trocar` or
 * `~/.cache/trocar` on Linux (XDG Base Directory), `~/Library/Caches/trocar` on macOS.
 *
 * @returns an absolute path; the folder need not exist
 * @throws {InstallError} `bad-setting` when no rule applies (`HOME` is unset) or a path is relative
 *
 * @example
 * ```ts
 * import { cacheFolder } from "trocar/engine";
 * console.log(cacheFolder().length > 0); // true
 * ```
 */
export function cacheFolder(): string {
  const own = setting("TROCAR_CACHE");
  if (own !== undefined) return own;
  const home = Deno.env.get(Deno.build.os === "windows" ? "LOCALAPPDATA" : "HOME");
  if (Deno.build.os !== "darwin") {
    const xdg = Deno.env.get("XDG_CACHE_HOME");
    // The XDG rules: a relative path is invalid and to be ignored.
    if (xdg !== undefined && xdg.startsWith("/")) return join(xdg, "trocar");
  }
  if (home === undefined || home === "") {
    throw new InstallError(
      "bad-setting",
      "Cannot choose a cache folder: HOME is not set. " +
        "Set TROCAR_CACHE to a folder with 2 GB of room, e.g. TROCAR_CACHE=/var/cache/trocar.",
    );
  }
  if (Deno.build.os === "windows") return join(home, "trocar");
  return Deno.build.os === "darwin"
    ? join(home, "Library", "Caches", "trocar")
    : join(home, ".cache", "trocar");
}

function setting(name: string): string | undefined {
  const value = Deno.env.get(name);
  if (value === undefined || value === "") return undefined;
  if (!value.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(value)) {
    throw new InstallError(
      "bad-setting",
      `Cannot use ${name}: it has to be an absolute path, current value is "${value}".`,
    );
  }
  return value;
}
