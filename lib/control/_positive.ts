/** Refuses what is not above 0, NaN too. */
export function assertPositive(action: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value > 0) continue;
    throw new RangeError(`Cannot ${action}: ${name} must be above 0, current value is ${value}.`);
  }
}
