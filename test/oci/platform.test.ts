import { describe, expect, test } from 'vitest'
import {
  formatPlatform,
  hostPlatform,
  matchPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from '../../lib/oci/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

describe('parsePlatform', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['amd64', 'linux/amd64'],
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['x86-64', 'linux/amd64'],
    ['linux/i386', 'linux/386'],
    ['aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['armhf', 'linux/arm/v7'],
    ['armel', 'linux/arm/v6'],
    ['linux/arm/v5', 'linux/arm/v5'],
    ['linux/arm', 'linux/arm'],
    ['macos/arm64', 'darwin/arm64'],
    ['windows/amd64', 'windows/amd64'],
    ['linux/riscv64', 'linux/riscv64'],
  ])('reads %s as %s', (text, expected) => {
    expect(formatPlatform(parsePlatform(text))).toBe(expected)
  })

  test.each(['', '/', 'linux/', '/amd64', 'linux//v7', 'a/b/c/d', 'linux/amd 64', 'linux/../x', 'línux/amd64', '-x'])(
    'refuses %j',
    async text => {
      expect(await thrownBy(() => parsePlatform(text))).toMatchObject({ code: 'ERR_INVALID_PLATFORM' })
    },
  )
})

test('normalising keeps unknown members', () => {
  const platform = { os: 'windows', architecture: 'x86_64', 'os.version': '10.0.1', future: true } as Platform
  expect(normalizePlatform(platform)).toEqual({ ...platform, architecture: 'amd64' })
})

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
  'an architecture named %s is a name like any other',
  architecture => {
    const platform = { os: 'linux', architecture }
    expect(normalizePlatform(platform)).toEqual(platform)
    expect(matchPlatform(platform, platform)).toBeGreaterThan(0)
    expect(matchPlatform(parsePlatform('amd64'), platform)).toBe(0)
  },
)

test('the platform of this machine is linux with a GOARCH name', () => {
  expect(hostPlatform().os).toBe('linux')
  expect(['x64', 'ia32']).not.toContain(hostPlatform().architecture)
})

describe('matchPlatform', () => {
  const match = (wanted: string, offered: string) => matchPlatform(parsePlatform(wanted), parsePlatform(offered))

  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/arm64', 'linux/arm64/v8'],
    ['linux/arm/v7', 'linux/arm'],
    ['linux/arm/v7', 'linux/arm/v6'],
    ['linux/arm/v7', 'linux/arm/v5'],
    ['linux/amd64/v3', 'linux/amd64'],
    ['linux/riscv64', 'linux/riscv64'],
    ['linux/ppc64le/power9', 'linux/ppc64le/power9'],
  ])('%s runs %s', (wanted, offered) => expect(match(wanted, offered)).toBeGreaterThan(0))

  test.each([
    ['linux/amd64', 'linux/arm64'],
    ['linux/amd64', 'windows/amd64'],
    ['linux/arm/v6', 'linux/arm/v7'],
    ['linux/amd64', 'linux/amd64/v2'],
    ['linux/ppc64le/power8', 'linux/ppc64le/power9'],
    ['linux/arm64', 'linux/arm/v7'],
  ])('%s does not run %s', (wanted, offered) => expect(match(wanted, offered)).toBe(0))

  test('the exact variant ranks above an older one', () => {
    expect(match('linux/arm/v7', 'linux/arm/v7')).toBeGreaterThan(match('linux/arm/v7', 'linux/arm/v6'))
    expect(match('linux/arm/v7', 'linux/arm/v6')).toBeGreaterThan(match('linux/arm/v7', 'linux/arm/v5'))
  })

  test('Windows images match by their build, if both platforms state it', () => {
    const windows = (version?: string): Platform => ({
      os: 'windows',
      architecture: 'amd64',
      ...(version ? { 'os.version': version } : {}),
    })
    expect(matchPlatform(windows('10.0.20348.1'), windows('10.0.20348.999'))).toBeGreaterThan(0)
    expect(matchPlatform(windows('10.0.20348.1'), windows('10.0.17763.1'))).toBe(0)
    expect(matchPlatform(windows('10.0.20348.1'), windows())).toBeGreaterThan(0)
    expect(matchPlatform(windows(), windows('10.0.17763.1'))).toBeGreaterThan(0)
  })
})
