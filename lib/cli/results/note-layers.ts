import { isEncryptedLayerType } from '../../oci/index.ts'
import type { AnyPlan, UnverifiedLayer } from '../../transfer/index.ts'
import type { Session } from '../session/session.ts'

/** Prints the layers that were copied unverified: encrypted ones, and those whose diffId could not be compared. */
export function noteLayers(session: Session, plan: AnyPlan, unverified: readonly UnverifiedLayer[]): void {
  for (const { digest, mediaType, reason } of unverified) {
    session.note(`layer ${digest} (${mediaType}) is not verified: ${reason}`)
  }
  const told = new Set(unverified.map(({ digest }) => digest))
  for (const { descriptor } of plan.steps) {
    const { digest, mediaType } = descriptor
    if (told.has(digest) || !isEncryptedLayerType(mediaType)) continue
    session.note(`layer ${digest} (${mediaType}) is encrypted: it is moved as it is, and cannot be unpacked`)
  }
}
