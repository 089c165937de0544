const PAGE = 4096
const SLOT = 16
const BLOCK = 16
const HEADER = 32

/**
 * Reads the blobs of an ndb database of rpm, as SUSE has it: pages of slots, each with the place of a blob.
 *
 * @throws Error if a slot or a blob is damaged.
 * @see {@link https://github.com/rpm-software-management/rpm/blob/master/lib/backend/ndb/rpmpkg.c | rpm: rpmpkg.c}
 */
export function readNdb(bytes: Buffer): Buffer[] {
  const pages = bytes.length >= HEADER ? bytes.readUInt32LE(12) : 0
  if (pages * PAGE > bytes.length) throw new Error('the ndb database is cut off')
  const blobs: Buffer[] = []
  let left = bytes.length
  for (let at = HEADER; at < pages * PAGE; at += SLOT) {
    if (bytes.toString('latin1', at, at + 4) !== 'Slot') throw new Error('broken slot of the ndb database')
    const index = bytes.readUInt32LE(at + 4)
    if (index === 0) continue
    const blob = blobAt(bytes, bytes.readUInt32LE(at + 8) * BLOCK, index)
    // SAFETY: slots that share a blob would make a small database state any number of packages.
    left -= SLOT + BLOCK + blob.length
    if (left < 0) throw new Error('packages of the ndb database overlap')
    blobs.push(blob)
  }
  return blobs
}

function blobAt(bytes: Buffer, at: number, index: number): Buffer {
  const isBlob =
    at + BLOCK <= bytes.length &&
    bytes.toString('latin1', at, at + 4) === 'BlbS' &&
    bytes.readUInt32LE(at + 4) === index &&
    at + BLOCK + bytes.readUInt32LE(at + 12) <= bytes.length
  if (!isBlob) throw new Error(`broken package ${index} of the ndb database`)
  return bytes.subarray(at + BLOCK, at + BLOCK + bytes.readUInt32LE(at + 12))
}
