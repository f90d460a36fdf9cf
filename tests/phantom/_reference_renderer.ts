import type { PhantomScene } from "../../lib/phantom/mod.ts";
import { INSERTION_AXIS as N, PLATE_X as E1, PLATE_Y as E2 } from "../../lib/phantom/mod.ts";

/**
 * A slow renderer without bounding boxes or shortcuts, one pixel after the other in float64, from
 * the same description as lib/phantom/_render.ts; without flicker and pixel noise.
 */
type V = number[];
const plus = (a: V, s: number, b: V) => a.map((x, i) => x + s * b[i]!);
const minus = (a: V, b: V) => plus(a, -1, b);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
const unit = (a: V) => a.map((x) => x / Math.sqrt(dot(a, a)));
const cross = (a: V, b: V) => [
  a[1]! * b[2]! - a[2]! * b[1]!,
  a[2]! * b[0]! - a[0]! * b[2]!,
  a[0]! * b[1]! - a[1]! * b[0]!,
];
const clip01 = (x: number) => Math.min(1, Math.max(0, x));
const rad = (degrees: number) => degrees * Math.PI / 180;

/** Turns a vector by Rx(a)·Ry(b)·Rz(r), one axis after the other. */
function turned(pose: ArrayLike<number>, [x, y, z]: V): V {
  const [a, b, r] = [rad(pose[3]!), rad(pose[4]!), rad(pose[5]!)];
  let v = [x!, y!, z!];
  v = [
    v[0]! * Math.cos(r) - v[1]! * Math.sin(r),
    v[0]! * Math.sin(r) + v[1]! * Math.cos(r),
    v[2]!,
  ];
  v = [
    v[0]! * Math.cos(b) + v[2]! * Math.sin(b),
    v[1]!,
    -v[0]! * Math.sin(b) + v[2]! * Math.cos(b),
  ];
  return [
    v[0]!,
    v[1]! * Math.cos(a) - v[2]! * Math.sin(a),
    v[1]! * Math.sin(a) + v[2]! * Math.cos(a),
  ];
}

function camera(view: number, pose: ArrayLike<number>) {
  const tip = [pose[0]!, pose[1]!, pose[2]!];
  let at: V, from: V, up: V;
  if (view === 4) {
    at = plus(tip, 1, turned(pose, [0, 0, 5]));
    from = plus(tip, 1, turned(pose, [0, -28, -62]));
    up = turned(pose, [0, 1, 0]);
  } else {
    const [azimuth, elevation] = [[35, 40], [125, 45], [215, 40], [305, 50]][view]!.map(rad);
    at = plus([150, 10, 225], -4, [...N]);
    const [c, s] = [Math.cos(elevation!), Math.sin(elevation!)];
    from = plus(at, 180, [c * Math.cos(azimuth!), c * Math.sin(azimuth!), s]);
    up = [0, 0, 1];
  }
  const z = unit(minus(at, from)), x = unit(cross(z, up));
  return { from, x, y: cross(z, x), z, f: view === 4 ? 1000 : 800 };
}

export function referenceFrame(
  scene: PhantomScene,
  view: number,
  pose: ArrayLike<number>,
  q: number,
): Float64Array {
  const { from, x, y, z, f } = camera(view, pose);
  const project = (p: V) => {
    const d = minus(p, from), depth = dot(d, z);
    return [320 + f * dot(d, x) / depth, 180 + f * dot(d, y) / depth, depth] as const;
  };
  const width = 640 / q, height = 360 / q;
  const out = new Float64Array(3 * width * height);
  const plateDepth = Math.max(1, dot(minus([...scene.centre], from), z));
  const m = q * plateDepth / f;
  const ports = scene.ports.map((port) => minus([...port], [...scene.centre]));
  const tip = [pose[0]!, pose[1]!, pose[2]!];
  const needle = cutNeedle(tip, plus(tip, 1, turned(pose, [0, 0, -40])));
  function cutNeedle(low: V, top: V): [V, V] | undefined {
    const behind = dot(minus(low, [...scene.centre]), N);
    if (behind > 0) {
      const before = dot(minus(top, [...scene.centre]), N);
      if (before >= 0) return undefined;
      low = plus(top, before / (before - behind), minus(low, top));
    }
    const [a, b] = [project(top)[2], project(low)[2]];
    if (a < 5 && b < 5) return undefined;
    const edge = plus(top, (5 - a) / (b - a), minus(low, top));
    return [a < 5 ? edge : top, b < 5 ? edge : low];
  }
  const balls = view === 4 ? [] : ([
    [[0, 0, -18], [240, 130, 20]],
    [[0, 0, -36], [20, 220, 220]],
    [[12, 0, -36], [220, 40, 220]],
  ] as [V, V][]).map(([at, colour]) => [project(plus(tip, 1, turned(pose, at))), colour] as const)
    .filter(([[, , depth]]) => depth >= 5);
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const u = (i + 0.5) * q, v = (j + 0.5) * q, share = (j + 0.5) / height;
      let colour = [40 + 22 * share, 52 + 20 * share, 60 + 16 * share];
      const mix = (over: V, cover: number) => {
        colour = colour.map((c, k) => c + cover * (over[k]! - c));
      };
      const ray = plus(plus(z, (u - 320) / f, x), (v - 180) / f, y);
      const lambda = dot(minus([...scene.centre], from), N) / dot(ray, N);
      if (lambda > 0) {
        const at = minus(plus(from, lambda, ray), [...scene.centre]);
        const px = dot(at, E1), py = dot(at, E2), rho = Math.hypot(px, py);
        const light = 1 - 0.25 * Math.min(rho * rho / 289, 1);
        mix([205 * light, 190 * light, 178 * light], clip01(0.5 + (17 - rho) / m));
        const colours = [[40, 70, 200], [40, 160, 70], [200, 45, 45], [245, 245, 245]];
        colours.push([230, 205, 50], [25, 25, 25]);
        ports.forEach((port, k) => {
          const distance = Math.hypot(px - dot(port, E1), py - dot(port, E2));
          mix(colours[k]!, clip01(0.5 + (3 - distance) / m));
        });
      }
      if (needle !== undefined) {
        const [ua, va, za] = project(needle[0]), [ub, vb, zb] = project(needle[1]);
        const square = (ub - ua) ** 2 + (vb - va) ** 2;
        const k = clip01(((u - ua) * (ub - ua) + (v - va) * (vb - va)) / square);
        const away = Math.hypot(u - ua - k * (ub - ua), v - va - k * (vb - va));
        const half = 0.4 * f / (za + k * (zb - za));
        mix([70, 74, 80], clip01(0.5 + (half - away) / q) * Math.min(1, 2 * half / q));
      }
      for (const [[bu, bv, depth], over] of balls) {
        mix(over, clip01(0.5 + (3 * f / depth - Math.hypot(u - bu, v - bv)) / q));
      }
      for (let c = 0; c < 3; c++) {
        const light = scene.viewGains[view]! * scene.channelGains[3 * view + c]!;
        out[3 * (j * width + i) + c] = Math.min(255, Math.max(0, colour[c]! * light));
      }
    }
  }
  return out;
}
