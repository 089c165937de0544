/**
 * Annotation of the `index.json` of a delta: the images whose layers it leaves out, as references with digest or
 * digests, separated by spaces.
 */
export const Requires = 'layerstore.requires'

/** SAFETY: an archive may declare anything; messages show no more than this. */
const MOST = 16
const LONGEST = 512

/** Returns the images that a delta requires; an empty list for an archive that is complete. */
export function requiresOf(annotations: Readonly<Record<string, string>> | undefined): readonly string[] {
  const text = annotations && Object.hasOwn(annotations, Requires) ? annotations[Requires] : undefined
  if (!text) return []
  return text
    .split(' ', MOST)
    .filter(name => name !== '')
    .map(name => name.slice(0, LONGEST))
}
