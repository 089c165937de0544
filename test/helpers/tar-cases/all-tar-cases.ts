import { checksumCases, nameCases, numberCases, typeCases } from './header-cases.ts'
import { paxCases } from './pax-cases.ts'
import { sparseCases } from './sparse-cases.ts'
import { streamCases } from './stream-cases.ts'
import type { TarCase } from './tar-case.ts'

/** Every archive that a reader must reject, or read in one way only, by family. */
export const tarCases: Readonly<Record<string, readonly TarCase[]>> = {
  'PAX and GNU headers': paxCases,
  numbers: numberCases,
  checksums: checksumCases,
  types: typeCases,
  names: nameCases,
  'begin and end': streamCases,
  'sparse files': sparseCases,
}
