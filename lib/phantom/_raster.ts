/** A picture in floating-point colours, and the shapes that are painted into it. */
import { clip, dot, type Vector3 } from "../robot/_geometry.ts";
import { type Camera, FRAME_HEIGHT, FRAME_WIDTH, project, type Projection } from "./_camera.ts";

/** Red, green, blue, each 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Columns and rows of a picture, the ends not included. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const POLYGON = Array.from({ length: 16 }, (_, i) => {
  // Corners of the regular polygon around the unit circle.
  const angle = i * Math.PI / 8, radius = 1 / Math.cos(Math.PI / 16);
  return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
});

/** A plane of the world with two axes in it; `normal` = x × y. */
export interface Plane {
  readonly origin: Vector3;
  readonly x: Vector3;
  readonly y: Vector3;
  readonly normal: Vector3;
}

/** A disc in a plane. */
export interface Disc {
  /** Centre, mm along the axes of the plane. */
  readonly centre: readonly [x: number, y: number];
  /** Radius, mm. */
  readonly radius: number;
  readonly colour: Colour;
  /** How much darker the rim is than the centre, 0 to 1; default 0. */
  readonly vignette?: number;
}

/** A picture of `width`×`height` pixels, each `reduction`² pixels of the full frame. */
export class Raster {
  readonly reduction: number;
  readonly width: number;
  readonly height: number;
  /** `(height·width·3)` */
  readonly pixels: Float32Array;
  readonly #background: Float32Array;

  constructor(reduction: number) {
    this.reduction = reduction;
    this.width = FRAME_WIDTH / reduction;
    this.height = FRAME_HEIGHT / reduction;
    this.pixels = new Float32Array(3 * this.width * this.height);
    this.#background = new Float32Array(this.pixels.length);
    for (let row = 0, at = 0; row < this.height; row++) {
      const y = (row + 0.5) / this.height;
      for (let column = 0; column < this.width; column++) {
        this.#background[at++] = 40 + 22 * y;
        this.#background[at++] = 52 + 20 * y;
        this.#background[at++] = 60 + 16 * y;
      }
    }
  }

  /** Paints over everything. */
  clear(): void {
    this.pixels.set(this.#background);
  }

  /** Paints a disc that lies in a plane; `footprint` is the mm of the plane that a pixel covers. */
  paintPlaneDisc(camera: Camera, plane: Plane, disc: Disc, footprint: number): void {
    const { reduction: q, pixels, width } = this;
    const { left, right, top, bottom } = this.#planeBox(camera, plane, disc, footprint);
    const { radius, colour: [red, green, blue], vignette = 0 } = disc;
    const outer = (radius + 0.5 * footprint) ** 2;
    const inner = Math.max(0, radius - 0.5 * footprint) ** 2;
    const fade = vignette / radius ** 2;
    // Ray of pixel (u, v): origin + λ·(x(u − 320)/f + y(v − 180)/f + z). Its part along an axis of
    // the plane is linear in u and v.
    const along = (axis: Vector3) => {
      const du = dot(camera.x, axis) / camera.focal, dv = dot(camera.y, axis) / camera.focal;
      return [dot(camera.z, axis) - FRAME_WIDTH / 2 * du - FRAME_HEIGHT / 2 * dv, du, dv] as const;
    };
    const [n0, nu, nv] = along(plane.normal), [x0, xu, xv] = along(plane.x);
    const [y0, yu, yv] = along(plane.y);
    const between = [0, 1, 2].map((i) => camera.origin[i]! - plane.origin[i]!);
    const offset = between as unknown as Vector3;
    const height = -dot(offset, plane.normal);
    const startX = dot(offset, plane.x) - disc.centre[0];
    const startY = dot(offset, plane.y) - disc.centre[1];
    for (let row = top; row < bottom; row++) {
      const v = (row + 0.5) * q;
      const rowN = n0 + nv * v, rowX = x0 + xv * v, rowY = y0 + yv * v;
      for (let column = left; column < right; column++) {
        const u = (column + 0.5) * q;
        const lambda = height / (rowN + nu * u);
        if (!(lambda > 0)) continue;
        const x = startX + lambda * (rowX + xu * u), y = startY + lambda * (rowY + yu * u);
        const square = x * x + y * y;
        if (square >= outer) continue;
        const cover = square <= inner
          ? 1
          : clip(0.5 + (radius - Math.sqrt(square)) / footprint, 0, 1);
        const light = 1 - Math.min(fade * square, vignette);
        this.#mix(
          pixels,
          3 * (row * width + column),
          red * light,
          green * light,
          blue * light,
          cover,
        );
      }
    }
  }

  /** Paints a ball as a disc in the picture; `radius` in pixels of the full frame. */
  paintBall(centre: Projection, radius: number, colour: Colour): void {
    const { reduction: q, pixels, width } = this;
    const { left, right, top, bottom } = this.#box([centre], radius + 0.5 * q);
    for (let row = top; row < bottom; row++) {
      const dv = (row + 0.5) * q - centre.v;
      for (let column = left; column < right; column++) {
        const du = (column + 0.5) * q - centre.u;
        const cover = clip(0.5 + (radius - Math.sqrt(du * du + dv * dv)) / q, 0, 1);
        if (cover > 0) this.#mix(pixels, 3 * (row * width + column), ...colour, cover);
      }
    }
  }

  /**
   * Paints a rod from `from` to `to` whose half width in pixels of the full frame is `scale`
   * divided by the depth; where it is thinner than a pixel it is transparent.
   */
  paintRod(from: Projection, to: Projection, scale: number, colour: Colour): void {
    const { reduction: q, pixels, width } = this;
    const widest = scale / Math.min(from.depth, to.depth);
    const { left, right, top, bottom } = this.#box([from, to], widest + 0.5 * q);
    const du = to.u - from.u, dv = to.v - from.v, square = Math.max(du * du + dv * dv, 1e-12);
    for (let row = top; row < bottom; row++) {
      const v = (row + 0.5) * q - from.v;
      for (let column = left; column < right; column++) {
        const u = (column + 0.5) * q - from.u;
        const share = clip((u * du + v * dv) / square, 0, 1);
        const half = scale / (from.depth + share * (to.depth - from.depth));
        const awayU = u - share * du, awayV = v - share * dv;
        const distance = Math.sqrt(awayU * awayU + awayV * awayV);
        const cover = clip(0.5 + (half - distance) / q, 0, 1) * Math.min(1, 2 * half / q);
        if (cover > 0) this.#mix(pixels, 3 * (row * width + column), ...colour, cover);
      }
    }
  }

  #mix(
    pixels: Float32Array,
    at: number,
    red: number,
    green: number,
    blue: number,
    cover: number,
  ): void {
    pixels[at]! += cover * (red - pixels[at]!);
    pixels[at + 1]! += cover * (green - pixels[at + 1]!);
    pixels[at + 2]! += cover * (blue - pixels[at + 2]!);
  }

  #planeBox(camera: Camera, plane: Plane, disc: Disc, footprint: number): Box {
    const reach = disc.radius + 0.5 * footprint;
    const corners = POLYGON.map(([x, y]) => {
      const a = disc.centre[0] + reach * x, b = disc.centre[1] + reach * y;
      const corner = [0, 1, 2].map((i) => plane.origin[i]! + a * plane.x[i]! + b * plane.y[i]!);
      return project(camera, corner as unknown as Vector3);
    });
    // A disc that reaches behind the camera may show anywhere.
    const isInFront = corners.every(({ depth }) => depth > 1);
    return isInFront
      ? this.#box(corners, 0)
      : { left: 0, right: this.width, top: 0, bottom: this.height };
  }

  /** The pixels whose centres are within `margin` of the points' bounding box. */
  #box(points: readonly Projection[], margin: number): Box {
    const us = points.map(({ u }) => u), vs = points.map(({ v }) => v);
    const first = (low: number) => Math.max(0, Math.ceil((low - margin) / this.reduction - 0.5));
    const end = (high: number, size: number) =>
      Math.min(size, Math.floor((high + margin) / this.reduction - 0.5) + 1);
    return {
      left: first(Math.min(...us)),
      right: end(Math.max(...us), this.width),
      top: first(Math.min(...vs)),
      bottom: end(Math.max(...vs), this.height),
    };
  }
}
