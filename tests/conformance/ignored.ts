/** tfjs-node's own list of specs that it does not run. */
import list from "./tfjs_node_ignored.json" with { type: "json" };

const parts = list.groups.flatMap((group) => group.specs);

/** Whether tfjs-node leaves a spec out: its full name contains an entry of the list. */
export function isIgnored(fullName: string): boolean {
  return parts.some((part) => fullName.includes(part));
}
