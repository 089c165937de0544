import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Directory in which the kernel lists interpreters of programs. */
const DIRECTORY = '/proc/sys/fs/binfmt_misc'

/** An interpreter that the kernel starts for programs with a certain beginning. SPEC: binfmt-misc.rst of Linux. */
export interface Interpreter {
  readonly name: string
  readonly path: string
  readonly isEnabled: boolean
  /** True if it is open already: a root filesystem need not have it. */
  readonly isOpen: boolean
  /** Whether it is for a program with this beginning. */
  matches(header: Buffer): boolean
}

/** Resolves to the interpreters that the kernel knows; none if it does not list them. */
export async function readInterpreters(directory = DIRECTORY): Promise<Interpreter[]> {
  const names = await readdir(directory).catch(() => [])
  const known = names.filter(name => name !== 'register' && name !== 'status')
  const texts = await Promise.all(known.map(name => readFile(join(directory, name), 'utf8').catch(() => '')))
  return texts.flatMap((text, i) => parseInterpreter(known[i] as string, text) ?? [])
}

function parseInterpreter(name: string, text: string): Interpreter | undefined {
  const field = (key: string) => new RegExp(`^${key}:? ?(.*)$`, 'm').exec(text)?.[1]
  const [path, magic] = [field('interpreter'), field('magic')]
  if (path === undefined || magic === undefined) return undefined
  const expected = Buffer.from(magic, 'hex')
  const mask = field('mask')
  const bits = mask === undefined ? Buffer.alloc(expected.length, 0xff) : Buffer.from(mask, 'hex')
  const offset = Number(field('offset') ?? 0)
  return {
    name,
    path,
    isEnabled: text.startsWith('enabled'),
    isOpen: field('flags')?.includes('F') ?? false,
    matches: header => {
      // A longer pattern also looks at what every program has, or at nothing.
      const length = Math.min(expected.length, header.length - offset)
      return expected.subarray(0, length).every((byte, i) => ((header[offset + i] as number) & (bits[i] ?? 0)) === byte)
    },
  }
}
