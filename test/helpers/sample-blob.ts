import { createHash } from 'node:crypto'
import { parseDigest } from '../../lib/digest/index.ts'
import type { Descriptor } from '../../lib/oci/index.ts'

/** Bytes that do not repeat, and their descriptor. */
export function sampleBlob(size: number, seed = 0): { readonly bytes: Buffer; readonly descriptor: Descriptor } {
  const bytes = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + seed + (i >> 8) * 7 + (i >> 16)) & 0xff
  return { bytes, descriptor: descriptorOf(bytes, 'application/vnd.oci.image.layer.v1.tar') }
}

/** Descriptor of these bytes. */
export function descriptorOf(bytes: Uint8Array, mediaType: string): Descriptor {
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  return { mediaType, digest, size: bytes.byteLength }
}
