import { AF_VSOCK, ARGUED_CALLS, ENOSYS, EPERM, NAMESPACE_FLAGS, refusedCalls } from './refused-calls.ts'

/** SPEC: linux/audit.h, AUDIT_ARCH_*: of a processor and its mode of 32 bits; `at` is the place in `CallNumbers`. */
const MODES: Readonly<Record<string, readonly Mode[]>> = {
  x64: [
    { audit: 0xc000_003e, at: 0 },
    { audit: 0x4000_0003, at: 1 },
  ],
  arm64: [
    { audit: 0xc000_00b7, at: 2 },
    { audit: 0x4000_0028, at: 3 },
  ],
}

interface Mode {
  readonly audit: number
  readonly at: 0 | 1 | 2 | 3
}

/** The last call of Linux 6.10. What a newer kernel adds does not exist for a process: it may be a way to mount. */
const LAST_CALL = 462
/** Calls that only processors of ARM have. */
const ARM_PRIVATE = 0xf_0000

/** SPEC: linux/bpf_common.h: load a word, jump if equal, greater, or a bit is set, return. */
const [LOAD, EQUAL, GREATER, BITS, RETURN] = [0x20, 0x15, 0x25, 0x45, 0x06] as const
/** SPEC: linux/seccomp.h: places in `seccomp_data` (the low half of an argument is first), and results. */
const [NUMBER, ARCHITECTURE, ARGUMENT] = [0, 4, 16] as const
const ALLOW = 0x7fff_0000
const refuse = (errno: number) => 0x0005_0000 | errno

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

/**
 * The program of the kernel that refuses system calls, as `struct sock_filter[]`. `undefined` on a processor whose
 * numbers are not known here.
 */
export function callFilter(capabilities: readonly string[], arch: string = process.arch): Uint8Array | undefined {
  const modes = MODES[arch]
  if (!modes) return undefined
  const sections = modes.map(mode => sectionOf(mode, capabilities))
  const program: Instruction[] = [[LOAD, 0, 0, ARCHITECTURE]]
  for (const [i, section] of sections.entries()) {
    program.push([EQUAL, 0, section.length, (modes[i] as Mode).audit], ...section)
  }
  // Another mode: nothing that this processor knows today.
  program.push([RETURN, 0, 0, refuse(ENOSYS)])
  return encode(program)
}

/** Instructions for the calls of one mode. Each way through them ends with a return. */
function sectionOf({ at }: Mode, capabilities: readonly string[]): Instruction[] {
  const isAdmin = capabilities.includes('CAP_SYS_ADMIN')
  const calls = refusedCalls(capabilities).filter(({ numbers }) => numbers[at] >= 0)
  const last: Instruction[] = at === 3 ? [[GREATER, 2, 0, ARM_PRIVATE - 1]] : []
  return [
    [LOAD, 0, 0, NUMBER],
    ...calls.flatMap(({ numbers }) => refusedIf(numbers[at], EPERM)),
    ...(isAdmin ? [] : refusedIf(ARGUED_CALLS.clone3[at], ENOSYS)),
    ...(isAdmin ? [] : refusedWith(ARGUED_CALLS.clone[at], [BITS, flagsOf(NAMESPACE_FLAGS.slice(0, -1))])),
    ...(isAdmin ? [] : refusedWith(ARGUED_CALLS.unshare[at], [BITS, flagsOf(NAMESPACE_FLAGS)])),
    ...refusedWith(ARGUED_CALLS.socket[at], [EQUAL, AF_VSOCK]),
    ...last,
    [GREATER, 0, 1, LAST_CALL],
    [RETURN, 0, 0, refuse(ENOSYS)],
    [RETURN, 0, 0, ALLOW],
  ]
}

function refusedIf(number: number, errno: number): Instruction[] {
  return [
    [EQUAL, 0, 1, number],
    [RETURN, 0, 0, refuse(errno)],
  ]
}

/** Refuses a call by its first argument. */
function refusedWith(number: number, [test, value]: readonly [code: number, value: number]): Instruction[] {
  return [
    [EQUAL, 0, 4, number],
    [LOAD, 0, 0, ARGUMENT],
    [test, 0, 1, value],
    [RETURN, 0, 0, refuse(EPERM)],
    [RETURN, 0, 0, ALLOW],
  ]
}

function flagsOf(flags: readonly number[]): number {
  return flags.reduce((sum, flag) => sum + flag, 0)
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(8 * program.length)
  for (const [i, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * i)
    bytes.writeUInt8(ifTrue, 8 * i + 2)
    bytes.writeUInt8(ifFalse, 8 * i + 3)
    bytes.writeUInt32LE(value >>> 0, 8 * i + 4)
  }
  return bytes
}
