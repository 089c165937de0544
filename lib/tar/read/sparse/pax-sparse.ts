import { LimitError } from '../../../errors/index.ts'
import { decodeName } from '../../../internal/name-bytes.ts'
import { decimal } from '../decimal.ts'
import { invalid } from '../header-block.ts'
import type { ReadPaxRecords } from '../parse-pax.ts'
import { MAX_REGIONS } from './sparse-regions.ts'

/** Sparse file as described by PAX records. */
export interface PaxSparse {
  /** Size of the file in bytes, holes included. */
  readonly size: number
  /** Name of the file, if the path is a placeholder for readers that do not support sparse files. */
  readonly name: string | undefined
  /** Alternating offsets and lengths; `undefined` if the map precedes the content (version 1.0). */
  readonly map: readonly number[] | undefined
}

/**
 * Parses the records of a sparse file, versions 0.0, 0.1 and 1.0; `undefined` if there are none.
 *
 * SAFETY: records of an unknown version are refused: otherwise the map and the stored bytes would be read as the
 * content of the file.
 *
 * @see {@link https://www.gnu.org/software/tar/manual/html_node/PAX-1.html | GNU tar: storing sparse files}
 */
export function paxSparse(pax: ReadPaxRecords, at: number): PaxSparse | undefined {
  if (!hasSparse(pax)) return undefined
  const text = (key: string) => pax.get(`GNU.sparse.${key}`)?.toString('latin1')
  const version = `${text('major') ?? '0'}.${text('minor') ?? '0'}`
  if (!['0.0', '0.1', '1.0'].includes(version)) throw invalid(`sparse file of the unknown version ${version}`, at)
  const size = decimal(text(version === '1.0' ? 'realsize' : 'size') ?? '')
  if (Number.isNaN(size)) throw invalid('sparse file without a size', at)
  const name = pax.get('GNU.sparse.name')
  return {
    size,
    name: name && name.byteLength > 0 ? decodeName(name) : undefined,
    map: version === '1.0' ? undefined : listedMap(text('map') ?? '', text('numblocks'), at),
  }
}

function hasSparse(pax: ReadPaxRecords): boolean {
  for (const key of pax.keys()) if (key.startsWith('GNU.sparse.')) return true
  return false
}

function listedMap(list: string, count: string | undefined, at: number): readonly number[] {
  const map = list === '' ? [] : list.split(',').map(decimal)
  if (map.length > 2 * MAX_REGIONS) {
    throw new LimitError('regions of a sparse file', { limit: MAX_REGIONS, actual: map.length / 2 })
  }
  if (map.length % 2 !== 0 || map.some(Number.isNaN) || decimal(count ?? '') !== map.length / 2) {
    throw invalid('sparse map that is no list of offsets and lengths', at)
  }
  return map
}
