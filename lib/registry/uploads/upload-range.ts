/**
 * Parses the `Range` of an answer to an upload (`0-last`) into the number of bytes held; `undefined` if it is missing
 * or malformed.
 *
 * @param expected - Number of bytes that the registry should hold.
 */
export function uploadedBytes(header: string | undefined, expected: number): number | undefined {
  const match = /^(?:bytes[ =])?0-(\d{1,15})$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const last = Number(match[1])
  // SPEC: the header cannot express zero bytes; registries send `0-0` for it, the same as for one byte.
  return last === 0 && expected !== 1 ? 0 : last + 1
}
