import { checkDescriptor } from './descriptor.ts'
import { type Guard, isAbsent, type JsonObject, member, withoutNulls } from './guards.ts'

/** Checks the first members that manifests and indexes share, and that the document is of one kind only. */
export function checkKind(
  guard: Guard,
  document: JsonObject,
  {
    kind,
    foreign,
    other,
  }: {
    readonly kind: string
    /** Members that only a document of another kind may have. */
    readonly foreign: readonly string[]
    readonly other: { readonly name: string; isType(mediaType: string): boolean }
  },
): void {
  guard.schemaVersion2(member(document, 'schemaVersion'))
  // SAFETY: one reader would take a document with the members of both kinds for a manifest, another for an index
  // (CVE-2021-41190), so it is rejected.
  for (const key of foreign) {
    if (member(document, key) !== undefined) guard.fail(key, `does not belong in an ${kind}`)
  }
  const mediaType = member(document, 'mediaType')
  guard.optionalString(mediaType, 'mediaType')
  if (other.isType(String(mediaType))) guard.fail('mediaType', `is the media type of ${other.name}`)
  guard.optionalString(member(document, 'artifactType'), 'artifactType')
}

/** Checks the last members that both share; returns the document without optional members that are `null`. */
export function checkSharedMembers(guard: Guard, document: JsonObject): JsonObject {
  guard.optionalStringMap(member(document, 'annotations'), 'annotations')
  const given = member(document, 'subject')
  const subject = isAbsent(given) ? {} : { subject: checkDescriptor(guard, given, 'subject') }
  return { ...withoutNulls(document, ['mediaType', 'artifactType', 'annotations', 'subject']), ...subject }
}
