import { matchesWhole, type SignedBy } from '../verify/trust-base.ts'
import type { PolicyRequirement } from './policy-rule.ts'

/**
 * Counts the keys and identities of a requirement that have signed. SAFETY: a pattern fits many identities, and is one
 * of the named signers all the same; so each signature counts for one of them, and each of them counts once.
 */
export function countSigners(
  { keys, identities }: Pick<PolicyRequirement, 'keys' | 'identities'>,
  signers: readonly SignedBy[],
): number {
  const named = [
    ...new Map(keys.map(({ hint }) => [hint, (by: SignedBy) => by.kind === 'key' && by.hint === hint])).values(),
    ...identities.map(
      one => (by: SignedBy) =>
        by.kind === 'certificate' && matchesWhole(one.identity, by.identity) && matchesWhole(one.issuer, by.issuer),
    ),
  ]
  const different = [...new Map(signers.map(by => [identify(by), by])).values()]
  const signerOf = new Map<number, number>()
  /** Finds a signer for one that is named; a signer that is taken moves to another if it can. */
  const assign = (one: number, tried: Set<number>): boolean =>
    different.some((by, signer) => {
      if (tried.has(signer) || !named[one]!(by)) return false
      tried.add(signer)
      const holder = signerOf.get(signer)
      if (holder !== undefined && !assign(holder, tried)) return false
      signerOf.set(signer, one)
      return true
    })
  return named.filter((_, one) => assign(one, new Set())).length
}

function identify(by: SignedBy): string {
  return by.kind === 'key' ? by.hint : JSON.stringify([by.identity, by.issuer])
}
