import { expect, test } from 'vitest'
import { parseDigest } from '../../lib/digest/index.ts'
import { PlatformNotFoundError } from '../../lib/errors/index.ts'
import { selectPlatform } from '../../lib/image/index.ts'
import { type Descriptor, type ImageIndex, MediaType, type Platform, parsePlatform } from '../../lib/oci/index.ts'

const entry = (platform: string | Platform | undefined, n: number): Descriptor => ({
  mediaType: MediaType.OciManifest,
  digest: parseDigest(`sha256:${String(n).repeat(64)}`),
  size: n,
  ...(platform ? { platform: typeof platform === 'string' ? parsePlatform(platform) : platform } : {}),
})
const index = (...platforms: (string | Platform | undefined)[]): ImageIndex => ({
  schemaVersion: 2,
  manifests: platforms.map((platform, i) => entry(platform, i + 1)),
})
const pick = (i: ImageIndex, platform: string) => selectPlatform(i, parsePlatform(platform)).size

test('the entry of the wanted platform is taken, wherever it stands', () => {
  expect(pick(index('linux/amd64', 'linux/arm64'), 'linux/arm64')).toBe(2)
})

test('of several matching entries the first wins', () => {
  expect(pick(index('linux/arm64', 'linux/amd64', 'linux/amd64'), 'linux/amd64')).toBe(2)
})

test('an older variant serves a newer machine, the nearest first, and never the other way round', () => {
  expect(pick(index('linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7'), 'linux/arm/v6')).toBe(2)
  expect(pick(index('linux/arm/v5', 'linux/arm/v7'), 'linux/arm/v6')).toBe(1)
  expect(() => pick(index('linux/arm/v7'), 'linux/arm/v6')).toThrow(PlatformNotFoundError)
})

test('a missing platform is an error that lists the platforms there are, without attestations', () => {
  const unknown = { os: 'unknown', architecture: 'unknown' }
  expect(() => pick(index('linux/amd64', unknown), 'linux/s390x')).toThrow(
    expect.objectContaining({ code: 'ERR_PLATFORM_NOT_FOUND', wanted: 'linux/s390x', available: ['linux/amd64'] }),
  )
})

test('a single entry that names no platform is taken for any', () => {
  expect(pick(index(undefined), 'linux/riscv64')).toBe(1)
  expect(() => pick(index(undefined, undefined), 'linux/amd64')).toThrow('available are none')
})

test('an entry of an unknown media type is skipped when another one fits', () => {
  const odd = (platform: string, n: number) => ({ ...entry(platform, n), mediaType: 'application/vnd.example+json' })
  const both = { ...index(), manifests: [odd('linux/amd64', 1), entry('linux/amd64', 2)] }
  expect(pick(both, 'linux/amd64')).toBe(2)
  const older = { ...index(), manifests: [odd('linux/arm/v7', 1), entry('linux/arm/v6', 2)] }
  expect(pick(older, 'linux/arm/v7')).toBe(2)
  // If no other entry fits, the reader of this entry reports its media type.
  expect(pick({ ...index(), manifests: [odd('linux/amd64', 1), entry('linux/arm64', 2)] }, 'linux/amd64')).toBe(1)
})
