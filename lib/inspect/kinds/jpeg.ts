import { readJpegHeader } from "../../formats/jpeg.ts";
import type { Kind } from "../inspection.ts";

/** An image. */
export const jpeg: Kind = {
  name: "jpg",
  summary: "*.jpg: an image",
  claims: ({ name, head }) => /\.jpe?g$/i.test(name) || (head[0] === 0xff && head[1] === 0xd8),
  inspect: ({ path, name, bytes }) => {
    const { width, height, components, bits, progressive, hasEnd } = readJpegHeader(path);
    if (!hasEnd) {
      throw new SyntaxError(
        `Cannot use ${path} at byte ${bytes}: an image should end with ff d9, current value is ` +
          "something else. It was cut short; copy or record it again.",
      );
    }
    const tensor = {
      name: name.replace(/\.jpe?g$/i, ""),
      dtype: bits > 8 ? "uint16" : "uint8",
      shape: [height, width, components],
      bytes: height * width * components * (bits > 8 ? 2 : 1),
    };
    return { tensors: [tensor], details: { width, height, components, bits, progressive } };
  },
};
