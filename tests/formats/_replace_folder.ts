import { replaceFolderAtomic } from "../../lib/formats/atomic_write.ts";

/** Waits, without giving up the processor, until the other process says that it is here too. */
function meet(folder: string, own: string, other: string, round: number): void {
  Deno.writeTextFileSync(`${folder}/${own}${round}`, "");
  for (let found = false; !found;) {
    try {
      found = Deno.statSync(`${folder}/${other}${round}`).isFile;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

if (import.meta.main) {
  const [folder = "", meeting = "", own = "", other = "", rounds = "0"] = Deno.args;
  for (let round = 0; round < Number(rounds); round++) {
    await replaceFolderAtomic(`${folder}/${round}`, (temporary) => {
      Deno.writeTextFileSync(`${temporary}/who`, own);
      Deno.writeTextFileSync(`${temporary}/too`, own);
      meet(meeting, own, other, round);
    }, { sync: false });
  }
}
