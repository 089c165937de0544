import { AF_VSOCK, ENOSYS, EPERM, NAMESPACE_FLAGS, refusedCalls } from './refused-calls.ts'

/** Architectures of libseccomp, with those of 32 bits that a process may use too. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
}

/** The section `linux.seccomp` of the config of an OCI runtime. SPEC: runtime-spec, config-linux.md#seccomp. */
export function runtimeCalls(capabilities: readonly string[], arch: string = process.arch): object | undefined {
  const architectures = ARCHITECTURES[arch]
  if (!architectures) return undefined
  const refused = (names: readonly string[], args: readonly object[] = [], errno = EPERM) => ({
    ...{ names, action: 'SCMP_ACT_ERRNO', errnoRet: errno },
    ...(args.length > 0 && { args }),
  })
  const hasFlag = (flag: number) => ({ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' })
  const isAdmin = capabilities.includes('CAP_SYS_ADMIN')
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures,
    syscalls: [
      refused(refusedCalls(capabilities).map(({ name }) => name)),
      refused(['socket'], [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_EQ' }]),
      ...(isAdmin ? [] : [refused(['clone3'], [], ENOSYS)]),
      // One rule for each flag: the conditions of one rule must all be met.
      ...(isAdmin ? [] : NAMESPACE_FLAGS.map(flag => refused(['unshare'], [hasFlag(flag)]))),
      ...(isAdmin ? [] : NAMESPACE_FLAGS.slice(0, -1).map(flag => refused(['clone'], [hasFlag(flag)]))),
    ],
  }
}
