import { KINDS } from '../indexing/stored-index.ts'
import type { SourceEntry, SourceStep } from './source-entry.ts'

/**
 * Steps as they are sent between threads: the paths joined by NULs, the numbers in a table, rare members as JSON.
 *
 * PERF: with objects, cloned one by one or as JSON, both threads need more processor time.
 */
export interface StepColumns {
  readonly paths: string
  /** {@link WIDTH} numbers per step. */
  readonly numbers: Float64Array<ArrayBuffer>
  readonly rare: string
}

type Rare = Pick<SourceEntry, 'linkname' | 'devMajor' | 'devMinor' | 'xattrs'>

/** Marks a step that begins no entry, in the column of types. */
const NO_ENTRY = -1

/** Offset, length, last, kind, mode, uid, gid, size, mtime, dev, ino. */
const WIDTH = 11

/** Encodes steps. */
export function encodeSteps(steps: readonly SourceStep[]): StepColumns {
  const numbers = new Float64Array(steps.length * WIDTH)
  const paths: string[] = []
  const rare: [number, Rare][] = []
  steps.forEach(({ entry, offset, length, last }, i) => {
    const at = i * WIDTH
    numbers[at] = offset
    numbers[at + 1] = length
    numbers[at + 2] = last ? 1 : 0
    numbers[at + 3] = entry ? KINDS.indexOf(entry.type) : NO_ENTRY
    if (!entry) return
    paths.push(entry.path)
    numbers[at + 4] = entry.mode
    numbers[at + 5] = entry.uid
    numbers[at + 6] = entry.gid
    numbers[at + 7] = entry.size
    numbers[at + 8] = entry.mtime
    numbers[at + 9] = entry.dev ?? Number.NaN
    numbers[at + 10] = entry.ino ?? Number.NaN
    const { linkname, devMajor, devMinor, xattrs } = entry
    if (linkname !== undefined || devMajor !== undefined || xattrs) {
      rare.push([i, { linkname, devMajor, devMinor, xattrs }])
    }
  })
  return { paths: paths.join('\0'), numbers, rare: rare.length > 0 ? JSON.stringify(rare) : '' }
}

/** Decodes steps. */
export function decodeSteps({ paths, numbers, rare }: StepColumns): SourceStep[] {
  const names = paths.split('\0')
  const extras = new Map<number, Rare>(rare === '' ? [] : JSON.parse(rare))
  let name = 0
  return Array.from({ length: numbers.length / WIDTH }, (_, i) => {
    const at = i * WIDTH
    const offset = numbers[at]!
    const length = numbers[at + 1]!
    const last = numbers[at + 2] === 1
    if (numbers[at + 3] === NO_ENTRY) return { offset, length, last }
    const entry = entryAt(numbers, at, names[name++]!)
    const extra = extras.get(i)
    return { entry: extra ? { ...entry, ...extra } : entry, offset, length, last }
  })
}

function entryAt(numbers: Float64Array, at: number, path: string): SourceEntry {
  const dev = numbers[at + 9]!
  return {
    path,
    type: KINDS[numbers[at + 3]!]!,
    mode: numbers[at + 4]!,
    uid: numbers[at + 5]!,
    gid: numbers[at + 6]!,
    size: numbers[at + 7]!,
    mtime: numbers[at + 8]!,
    // PERF: one object literal. Each entry lives for a moment only, but there may be 69,000 of them to collect.
    dev: Number.isNaN(dev) ? undefined : dev,
    ino: Number.isNaN(dev) ? undefined : numbers[at + 10]!,
  }
}
