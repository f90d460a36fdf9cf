import assert from "node:assert/strict";

const VOID = new Set(["meta", "br", "!DOCTYPE"]);

/** Fails where tags do not close in order, or text holds what markup is made of. */
export function assertWellFormed(markup: string): void {
  const open: string[] = [];
  const body = markup.replace(/<style>[^<]*<\/style>/g, "");
  const tag = /<(\/?)([a-zA-Z!][\w]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/g;
  const text = body.replace(tag, (_all, closing, name, _attributes, self) => {
    if (closing === "/") assert.equal(open.pop(), name, `</${name}> closes another`);
    else if (self !== "/" && !VOID.has(name)) open.push(name);
    return "";
  });
  assert.deepEqual(open, [], "tags left open");
  assert(!/[<>]/.test(text), `text holds markup: ${text.match(/.{0,40}[<>].{0,40}/s)?.[0]}`);
  assert(!/&(?!(amp|lt|gt|quot);)/.test(body), "an & that is not escaped");
  const bad = body.match(/.{0,60}(NaN|undefined|Infinity)/s)?.[0];
  assert.equal(bad, undefined, "a number that is none");
}

/** All numbers of an attribute, in order. */
export function attributes(markup: string, element: string, name: string): number[] {
  const pattern = new RegExp(`<${element}[^>]*\\s${name}="([^"]*)"`, "g");
  return [...markup.matchAll(pattern)].map((match) => Number(match[1]));
}
