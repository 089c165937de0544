/**
 * How many bytes an upload holds, by the `Range` of an answer to it (`0-last`); `undefined` if that says nothing.
 *
 * @param expected - How many it holds if all went well.
 */
export function uploadedBytes(header: string | undefined, expected: number): number | undefined {
  const match = /^(?:bytes[ =])?0-(\d{1,15})$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const last = Number(match[1])
  // SPEC: a registry cannot say that it holds nothing; those that try say the same as for one byte.
  return last === 0 && expected !== 1 ? 0 : last + 1
}
