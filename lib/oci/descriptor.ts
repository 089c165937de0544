import { type Digest, isWellFormedDigest } from '../digest/index.ts'
import { Guard, isAbsent, type JsonObject, member, withoutNulls } from './guards.ts'
import { checkPlatform, type Platform } from './platform.ts'

/**
 * Media type, digest and size of a blob, as a document states them. Members that this library does not know are kept.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md | image-spec: descriptor}
 */
export interface Descriptor {
  /** Media type of the blob. */
  readonly mediaType: string
  /**
   * Digest of the blob. A document may use an algorithm that this library does not compute; see `isWellFormedDigest`.
   */
  readonly digest: Digest
  /** Size of the blob in bytes. */
  readonly size: number
  /** Other addresses of the blob. This library uses them only on request. */
  readonly urls?: readonly string[]
  /** Free text about the blob. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Content of a small blob in base64. Its size was checked, its digest was not: verify it before use. */
  readonly data?: string
  /** Artifact type of the manifest that the descriptor refers to. */
  readonly artifactType?: string
  /** Platform of the image, in an index. */
  readonly platform?: Platform
}

/**
 * Checks that a value is a descriptor, and returns it with its unknown members. An optional member that is `null`
 * counts as not set and is left out.
 *
 * @param at - Path of the value in errors, such as `layers[0]`.
 * @throws {@link FormatError} `ERR_INVALID_DESCRIPTOR` with the path of the fault.
 */
export function parseDescriptor(value: unknown, at = ''): Descriptor {
  return checkDescriptor(new Guard('ERR_INVALID_DESCRIPTOR', 'descriptor'), value, at)
}

/** SPEC: media types follow RFC 6838, section 4.2 (descriptor.md, mediaType). */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

const OPTIONAL = ['urls', 'annotations', 'data', 'artifactType', 'platform']

/** Checks a descriptor inside a document, and returns it without members that are `null`. */
export function checkDescriptor(guard: Guard, value: unknown, at: string): Descriptor {
  const inside = (key: string) => (at ? `${at}.${key}` : key)
  const descriptor: JsonObject = guard.object(value, at)
  const mediaType = guard.string(member(descriptor, 'mediaType'), inside('mediaType'))
  if (!MEDIA_TYPE.test(mediaType)) guard.fail(inside('mediaType'), 'is not a media type')
  const digest = guard.string(member(descriptor, 'digest'), inside('digest'))
  // SAFETY: digests become paths and URLs. The grammar allows no text that could leave a directory. An unknown
  // algorithm is accepted here; every act on the blob rejects it.
  if (!isWellFormedDigest(digest))
    guard.fail(inside('digest'), `is not a digest: ${JSON.stringify(digest.slice(0, 160))}`)
  const size = member(descriptor, 'size')
  if (!Number.isSafeInteger(size) || (size as number) < 0) {
    guard.fail(inside('size'), `must be a whole number of bytes, is ${JSON.stringify(size) ?? 'missing'}`)
  }
  const platform = checkOptionalMembers(guard, descriptor, inside)
  return { ...withoutNulls(descriptor, OPTIONAL), ...(platform ? { platform } : {}) } as unknown as Descriptor
}

/** Checks the optional members, and returns the platform. */
function checkOptionalMembers(
  guard: Guard,
  descriptor: JsonObject,
  inside: (key: string) => string,
): Platform | undefined {
  guard.optionalStrings(member(descriptor, 'urls'), inside('urls'))
  guard.optionalStringMap(member(descriptor, 'annotations'), inside('annotations'))
  const data = member(descriptor, 'data')
  if (!isAbsent(data)) checkData(guard, guard.string(data, inside('data')), Number(member(descriptor, 'size')), inside)
  guard.optionalString(member(descriptor, 'artifactType'), inside('artifactType'))
  const platform = member(descriptor, 'platform')
  return isAbsent(platform) ? undefined : checkPlatform(guard, platform, inside('platform'))
}

function checkData(guard: Guard, data: string, size: number, inside: (key: string) => string): void {
  // SAFETY: `Buffer.from` skips characters that are not base64, so a reader with a strict decoder would see other
  // content. The pattern rejects them.
  if (data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) guard.fail(inside('data'), 'is not base64')
  const bytes = (data.length / 4) * 3 - (/=*$/.exec(data)?.[0].length ?? 0)
  if (bytes !== size) guard.fail(inside('data'), `has ${bytes} bytes, not ${size} as the descriptor says`)
}
