import type { Repository } from '../../oci/index.ts'
import { formatRepository, parseRepository } from '../sign/image-place.ts'

/**
 * Makes the rule for the name that a signature is for. A bundle without a name counts: it signs the digest.
 *
 * @param own - Repository of the image, if it is known.
 * @param signedName - Name that counts in place of it; `false` for any.
 */
export function nameRule(
  own: Repository | undefined,
  signedName: string | false | undefined,
): (name: string | undefined) => boolean {
  if (signedName === false) return () => true
  const wanted = signedName ?? (own ? formatRepository(own) : undefined)
  return name => name === undefined || wanted === undefined || name === wanted || isInRepository(name, wanted)
}

/** A signed name with a tag is in its repository. SPEC: `index.docker.io`, which cosign writes, is `docker.io`. */
function isInRepository(name: string, wanted: string): boolean {
  const [a, b] = [parseRepository(name), parseRepository(wanted)]
  const isBare = b !== undefined && !/[:@]/.test(wanted.slice(wanted.lastIndexOf('/') + 1))
  return isBare && a !== undefined && formatRepository(a) === formatRepository(b)
}
