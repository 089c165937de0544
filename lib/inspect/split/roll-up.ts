import type { FileGroup } from './merge-groups.ts'
import type { SplitPlace } from './split-advice.ts'

/**
 * Names the places of each group: the highest directories of which every file belongs to the group, and single files
 * elsewhere; most bytes first.
 */
export function rollUp(groups: readonly FileGroup[]): readonly (readonly SplitPlace[])[] {
  /** Group of all files below a directory; -1 if they are of several. */
  const owners = new Map<string, number>()
  for (const [i, { files }] of groups.entries()) {
    for (const { path } of files) {
      for (const parent of parentsOf(path)) {
        const owner = owners.get(parent)
        if (owner === undefined) owners.set(parent, i)
        else if (owner !== i) owners.set(parent, -1)
      }
    }
  }
  return groups.map(({ files }, i) => {
    const places = new Map<string, { bytes: number; files: number }>()
    for (const { path, bytes } of files) {
      const at = parentsOf(path).find(parent => owners.get(parent) === i) ?? path
      const place = places.get(at) ?? { bytes: 0, files: 0 }
      places.set(at, place)
      place.bytes += bytes
      place.files++
    }
    const all = [...places].map(([path, sums]) => ({ path, ...sums }))
    return all.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
  })
}

/** The directories above a path, the highest first. */
function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
    parents.push(path.slice(0, slash))
  return parents
}
