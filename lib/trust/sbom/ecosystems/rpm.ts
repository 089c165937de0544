import type { StatedPackage } from './stated-package.ts'

const ENTRY_BYTES = 16
const TAGS = { name: 1000, version: 1001, release: 1002, epoch: 1003, license: 1014, arch: 1022, source: 1044 }
const WANTED = new Set<number>(Object.values(TAGS))
const NULL_TERMINATED = [6, 9]
const INT32 = 4
/** SAFETY: most bytes of a text. Many packages may share one. */
const MOST_OF_TEXT = 64 * 1024

/**
 * Parses a header of rpm, as its databases hold one for each package; `undefined` for the keys that rpm keeps as
 * packages, and for bytes that are no header.
 *
 * @see {@link https://rpm-software-management.github.io/rpm/manual/hdr_format.html | RPM: header format}
 */
export function parseRpmHeader(bytes: Buffer): StatedPackage | undefined {
  if (bytes.length < 8) return undefined
  const start = 8 + bytes.readUInt32BE(0) * ENTRY_BYTES
  const end = start + bytes.readUInt32BE(4)
  if (end > bytes.length) return undefined
  // SAFETY: only the first entry of a kind counts, also if it is broken: each would be searched for its end.
  const values = new Map<number, string | undefined>()
  for (let at = 8; at < start; at += ENTRY_BYTES) {
    const [tag, type, offset] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4), bytes.readUInt32BE(at + 8)]
    if (!WANTED.has(tag) || values.has(tag)) continue
    values.set(tag, valueAt(bytes, type, start + offset, end))
  }
  const of = (tag: keyof typeof TAGS) => values.get(TAGS[tag])
  const [name, version, release, epoch, license] = [
    of('name'),
    of('version'),
    of('release'),
    of('epoch'),
    of('license'),
  ]
  if (!name || !version || name === 'gpg-pubkey') return undefined
  const own = `${version}${release ? `-${release}` : ''}`
  const full = `${epoch && epoch !== '0' ? `${epoch}:` : ''}${own}`
  const source = sourceOf(of('source'), { name, own, full })
  return {
    name,
    version: full,
    architecture: of('arch'),
    ...(license ? { license } : {}),
    ...(source ? { source } : {}),
  }
}

/** SPEC: a header names the file of the source, `name-version-release.src.rpm`. The epoch is not in it. */
function sourceOf(file: string | undefined, { name, own, full }: Record<'name' | 'own' | 'full', string>) {
  const [, source, version] = file?.match(/^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/) ?? []
  if (!source || !version || (source === name && version === own)) return undefined
  return { name: source, version: version === own ? full : version }
}

function valueAt(bytes: Buffer, type: number, at: number, end: number): string | undefined {
  if (type === INT32) return at + 4 <= end ? String(bytes.readUInt32BE(at)) : undefined
  if (!NULL_TERMINATED.includes(type) || at >= end) return undefined
  const text = bytes.subarray(at, Math.min(end, at + MOST_OF_TEXT))
  const stop = text.indexOf(0)
  return stop < 0 ? undefined : text.toString('utf8', 0, stop)
}
