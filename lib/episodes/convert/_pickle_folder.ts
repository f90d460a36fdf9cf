/** Folders of images. */
const IMAGES = /^(view\d+.*|images)$/i;

/**
 * Whether a folder is what `preprocess --format data-pkl` makes: it holds a `data.pkl`, and neither an
 * episode nor a recording. Its name is that of its recording, so names do not tell.
 *
 * @param names of the folder's entries
 */
export function isPickleFolder(names: readonly string[]): boolean {
  return names.includes("data.pkl") && !names.includes("episode.json") &&
    !names.some((name) => name.endsWith(".csv") || IMAGES.test(name));
}
