import { parsePlatform } from '../../../oci/index.ts'
import { elfHeader } from './elf-header.ts'
import { type Interpreter, readInterpreters } from './interpreters.ts'

/** Architectures of programs that processors run themselves, by the name of Node for the machine. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  arm: ['arm'],
  arm64: ['arm64', 'arm'],
  ia32: ['386'],
  loong64: ['loong64'],
  ppc64: ['ppc64le', 'ppc64'],
  riscv64: ['riscv64'],
  s390x: ['s390x'],
  x64: ['amd64', '386'],
}

/** Options of {@link platformFault}. */
export interface PlatformFaultOptions {
  /** Architecture of the machine, as Node names it. @defaultValue that of this process */
  readonly machine?: string | undefined
  /** Interpreters that the kernel knows. @defaultValue those of this machine */
  readonly interpreters?: readonly Interpreter[] | undefined
}

/**
 * Resolves to the reason why programs for a platform do not run on this machine; `undefined` if they do: the processor
 * runs them, or the kernel knows an interpreter such as qemu.
 */
export async function platformFault(
  platform: string | undefined,
  { machine = process.arch, interpreters }: PlatformFaultOptions = {},
): Promise<string | undefined> {
  if (platform === undefined) return undefined
  const { os, architecture } = parsePlatform(platform)
  if (os !== 'linux') return `programs for ${platform} do not run on Linux`
  if (NATIVE[machine]?.includes(architecture)) return undefined
  const header = elfHeader(architecture)
  const known = interpreters ?? (await readInterpreters())
  const found = header && known.find(({ isEnabled, matches }) => isEnabled && matches(header))
  if (found?.isOpen) return undefined
  const what = `programs for ${platform} do not run on this machine (${machine})`
  if (!found) {
    return `${what}: the kernel knows no interpreter for them; install the packages qemu-user-static and binfmt-support`
  }
  return `${what}: the interpreter ${found.path} (${found.name}) is not open in the kernel; register it with the flag F`
}
