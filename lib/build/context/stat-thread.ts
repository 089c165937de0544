import { lstatSync, type Stats } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { encodeName } from '../../internal/name-bytes.ts'
import { AT, COLUMNS, DONE, MISSING, PHASE, RUNNING, type StatTask, WAITING } from './stat-task.ts'

/** Looks at the names of the records, from the last record on, until the calling thread meets it. */
const { root, records, control, numbers } = workerData as StatTask
const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength)
const SLASH = Buffer.from('/')
const prefix = encodeName(root)
const places = placesOf()

Atomics.wait(control, PHASE, WAITING)
for (let i = places.length - 1; i >= 0; i--) {
  if (Atomics.load(control, PHASE) !== RUNNING || i <= Atomics.load(control, AT)) break
  lookAt(places[i]!)
  Atomics.store(control, DONE, i)
}

/** The parts of a record: its path, its names, and the number of names in the records before it. */
interface Place {
  readonly begin: number
  readonly pathEnd: number
  readonly namesBegin: number
  readonly end: number
  readonly first: number
}

function placesOf(): readonly Place[] {
  const found: Place[] = []
  let first = 0
  for (let begin = 0; begin < bytes.byteLength; ) {
    const pathEnd = bytes.indexOf(0, begin)
    const namesBegin = pathEnd < 0 ? 0 : bytes.indexOf(0, pathEnd + 1) + 1
    let end = namesBegin
    let names = 0
    while (end > 0 && bytes[end] !== 0) {
      end = bytes.indexOf(0, end) + 1
      names++
    }
    // Damage ends the records.
    if (end === 0) break
    found.push({ begin, pathEnd, namesBegin, end, first })
    first += names
    begin = end + 1
  }
  return found
}

function lookAt({ begin, pathEnd, namesBegin, end, first }: Place): void {
  const path = bytes.subarray(begin, pathEnd)
  const directory = path.equals(Buffer.from('.')) ? prefix : Buffer.concat([prefix, SLASH, path])
  let row = first * COLUMNS
  for (let at = namesBegin; at < end; row += COLUMNS) {
    const nameEnd = bytes.indexOf(0, at)
    // The first byte of a name is its type.
    keep(row, lstat(Buffer.concat([directory, SLASH, bytes.subarray(at + 1, nameEnd)])))
    at = nameEnd + 1
  }
}

/** PERF: paths stay bytes, of which `lstat` needs no copy. */
function lstat(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    // The calling thread looks itself, and fails with the error.
    return undefined
  }
}

function keep(row: number, stats: Stats | undefined): void {
  if (!stats) {
    numbers[row] = MISSING
    return
  }
  const { mode, nlink, rdev, dev, ino, size, mtimeMs, ctimeMs } = stats
  numbers.set([mode, nlink, rdev, dev, ino, size, mtimeMs, ctimeMs], row)
}
