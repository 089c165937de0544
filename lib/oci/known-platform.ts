import type { Platform } from './platform.ts'

/** Operating systems of Go, which name those of images. */
const SYSTEMS: ReadonlySet<string> = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
)

/** Processors of Go, which name those of images. */
const ARCHITECTURES: ReadonlySet<string> = new Set(
  '386 amd64 amd64p32 arm arm64 arm64be armbe loong64 mips mips64 mips64le mips64p32 mips64p32le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  ),
)

/**
 * Returns whether a platform has an operating system and a processor that exist.
 *
 * @see {@link https://go.dev/doc/install/source#environment | GOOS and GOARCH}
 * @internal
 */
export function isKnownPlatform({ os, architecture }: Platform): boolean {
  return SYSTEMS.has(os) && ARCHITECTURES.has(architecture)
}
