import { spawn } from 'node:child_process'
import { LimitError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { decodeName, encodeName } from '../../internal/name-bytes.ts'
import { isPortableXattr } from '../../layer/index.ts'
import { findXattrProgram, type XattrProgram } from './xattr-program.ts'

/** SAFETY: attributes of hostile files are read into memory: a million of 64 KiB would not fit. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * Options of {@link readXattrsOf}.
 *
 * @internal
 */
export interface ReadXattrsOptions extends AbortOptions {
  /** Program that reads. @defaultValue the one that {@link findXattrProgram} finds */
  readonly program?: XattrProgram | undefined
}

/**
 * Extended attributes by the paths of their files.
 *
 * @internal
 */
export type XattrsByPath = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>

/**
 * Reads the extended attributes of many files, with one start of a program of this machine (perl or python3), because
 * Node has no call for them. Links are not followed. Attributes that are valid on this machine only (overlayfs,
 * SELinux) are left out, and so are files without attributes.
 *
 * @param directory - Directory that the paths are relative to. No other process may change it meanwhile.
 * @returns `undefined` if there is no such program.
 * @throws {@link LimitError} for over 64 MiB of attributes.
 * @internal
 */
export async function readXattrsOf(
  directory: string,
  paths: readonly string[],
  { program = findXattrProgram(), signal }: ReadXattrsOptions = {},
): Promise<XattrsByPath | undefined> {
  if (!program) return undefined
  const found = new Map<string, Map<string, Uint8Array>>()
  if (paths.length === 0) return found
  const input = Buffer.concat(paths.map(path => Buffer.concat([encodeName(`./${path}`), Buffer.of(0)])))
  for (const line of (await output(program, directory, input, signal)).split('\n').filter(Boolean)) {
    const [index = '', name = '', value = ''] = line.split(' ')
    const path = paths[Number(index)] as string
    const text = decodeName(Buffer.from(name, 'hex'))
    if (!isPortableXattr(text)) continue
    const xattrs = found.get(path) ?? new Map<string, Uint8Array>()
    found.set(path, xattrs.set(text, Buffer.from(value, 'hex')))
  }
  return new Map([...found].map(([path, xattrs]) => [path, new Map([...xattrs].sort(byName))]))
}

function byName([a]: [string, Uint8Array], [b]: [string, Uint8Array]): number {
  return a < b ? -1 : 1
}

async function output(
  { path, get }: XattrProgram,
  directory: string,
  input: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<string> {
  signal?.throwIfAborted()
  const child = spawn(path, get, { cwd: directory, env: { LC_ALL: 'C' }, stdio: ['pipe', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  const [said, faults]: [Buffer[], Buffer[]] = [[], []]
  let size = 0
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    // Two digits a byte.
    if (size > 2 * MOST_BYTES) kill()
    else said.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => faults.push(chunk))
  // A program that ended early did not read all; its exit says why.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal?.throwIfAborted()
    const actual = Math.floor(size / 2)
    if (actual > MOST_BYTES) {
      throw new LimitError('bytes', { limit: MOST_BYTES, actual, where: 'extended attributes' })
    }
    if (code !== 0) throw new Error(`${path} failed: ${Buffer.concat(faults).toString('utf8').trim()}`)
    return Buffer.concat(said).toString('latin1')
  } finally {
    signal?.removeEventListener('abort', kill)
  }
}
