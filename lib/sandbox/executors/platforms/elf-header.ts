/** Class, byte order and machine of programs of an architecture. SPEC: elf(5). */
const MACHINES: Readonly<Record<string, readonly [bits: 32 | 64, order: 'little' | 'big', machine: number]>> = {
  '386': [32, 'little', 3],
  amd64: [64, 'little', 62],
  arm: [32, 'little', 40],
  arm64: [64, 'little', 183],
  loong64: [64, 'little', 258],
  mips64: [64, 'big', 8],
  mips64le: [64, 'little', 8],
  ppc64: [64, 'big', 21],
  ppc64le: [64, 'little', 21],
  riscv64: [64, 'little', 243],
  s390x: [64, 'big', 22],
}
const EXECUTABLE = 2

/** Beginning of a program for an architecture, as far as the kernel looks at it; `undefined` for an unknown one. */
export function elfHeader(architecture: string): Buffer | undefined {
  const known = Object.hasOwn(MACHINES, architecture) ? MACHINES[architecture] : undefined
  if (!known) return undefined
  const [bits, order, machine] = known
  const header = Buffer.alloc(20)
  header.write('\x7fELF', 'latin1')
  header.set([bits === 64 ? 2 : 1, order === 'little' ? 1 : 2, 1], 4)
  const write = order === 'little' ? 'writeUInt16LE' : 'writeUInt16BE'
  header[write](EXECUTABLE, 16)
  header[write](machine, 18)
  return header
}
