/** Rows of a table in which each peer has one. */
import { describeRatio, digits, megabytes } from "./benchmark.ts";
import type { PeerRecord } from "./record.ts";

/** Headings of the columns of a peer. */
export const PEER_COLUMNS = ["peer", "ms", "peak MB", "time ratio"] as const;

/** A row for each peer: the first begins with our cells; without peers, these alone. */
export function peerRows(
  ours: readonly (string | number)[],
  peers: readonly PeerRecord[],
): (string | number)[][] {
  if (peers.length === 0) return [[...ours]];
  return peers.map((peer, i) => [
    ...(i === 0 ? ours : ours.map(() => "")),
    ...[peer.library, digits(peer.median), megabytes(peer.peakRss), describeRatio(peer)],
  ]);
}
