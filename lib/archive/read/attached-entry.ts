import { attachedTagIn, type Descriptor } from '../../oci/index.ts'
import type { LayoutEntry } from '../formats/archive-entry.ts'

/** The annotation in which `cosign save` writes the kind of an entry. */
const KIND = 'kind'
const KINDS: Readonly<Record<string, string>> = {
  sig: 'dev.cosignproject.cosign/sigs',
  att: 'dev.cosignproject.cosign/atts',
}

/**
 * Finds what is attached to an image of a layout under a tag of cosign, `sha256-<hex>.sig`, `.att` or `.sbom`, with
 * a repository or without: the entry that has this tag, else the one of that kind which `cosign save` wrote after the
 * image (it saves no SBOMs).
 */
export function attachedEntry(entries: readonly LayoutEntry[], name: string): Descriptor | undefined {
  const [algorithm, hex, suffix = ''] = attachedTagIn(name)?.split(/[-.]/) ?? []
  if (algorithm === undefined) return undefined
  const isNamed = (label: string) => label === name || label.endsWith(`:${name}`)
  const named = entries.find(({ names, labels }) => [...labels, ...names].some(isNamed))
  if (named) return named.descriptor
  if (!Object.hasOwn(KINDS, suffix)) return undefined
  const image = entries.findIndex(({ descriptor }) => descriptor.digest === `${algorithm}:${hex}`)
  if (image < 0) return undefined
  const after = entries.slice(image + 1)
  const next = after.findIndex(entry => !Object.values(KINDS).includes(kindOf(entry) ?? ''))
  const own = next < 0 ? after : after.slice(0, next)
  return own.find(entry => kindOf(entry) === KINDS[suffix])?.descriptor
}

function kindOf({ descriptor: { annotations } }: LayoutEntry): string | undefined {
  return annotations && Object.hasOwn(annotations, KIND) ? annotations[KIND] : undefined
}
