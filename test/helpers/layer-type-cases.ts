import { gzipSync } from 'node:zlib'
import { MediaType } from '../../lib/oci/index.ts'
import { tarEnd, tarMember } from './tar-block.ts'
import { zstdFrame } from './zstd-frames.ts'

/** A layer whose media type and content disagree, or are both unreadable. */
export interface LayerTypeCase {
  /** Case name, as in the catalogue of hostile input. */
  readonly name: string
  readonly mediaType: string
  readonly blob: () => Uint8Array
  /** The tar whose digest the config states; without it nothing proves the layer. */
  readonly diffId?: () => Uint8Array
  /** Code of the error; if absent, the layer is readable and has the entry `x`. */
  readonly refused?: string
}

const tar = () => Buffer.concat([tarMember({ name: 'x' }, 'abc'), tarEnd])
const zstd = () => zstdFrame([{ raw: tar() }])
const { OciLayer, OciLayerGzip, OciLayerZstd } = MediaType
const mismatch = 'ERR_UNSUPPORTED_MEDIA_TYPE'
const unsupported = 'ERR_UNSUPPORTED_COMPRESSION'

/** Layers with media types that do not match their bytes. */
export const layerTypeCases: readonly LayerTypeCase[] = [
  { name: 'gz-is-plain', mediaType: OciLayerGzip, blob: tar, refused: mismatch },
  { name: 'gz-is-plain, proven', mediaType: OciLayerGzip, blob: tar, diffId: tar },
  { name: 'gz-is-zstd', mediaType: OciLayerGzip, blob: zstd, refused: mismatch },
  { name: 'gz-is-zstd, proven', mediaType: OciLayerGzip, blob: zstd, diffId: tar },
  { name: 'plain-is-gzip', mediaType: OciLayer, blob: () => gzipSync(tar()), refused: mismatch },
  { name: 'plain-is-gzip, proven', mediaType: OciLayer, blob: () => gzipSync(tar()), diffId: tar },
  { name: 'zst-is-gzip', mediaType: OciLayerZstd, blob: () => gzipSync(tar()), refused: mismatch },
  {
    name: 'gz-is-plain, of another tar',
    mediaType: OciLayerGzip,
    blob: tar,
    diffId: () => tarEnd,
    refused: 'ERR_DIFF_ID_MISMATCH',
  },
  { name: 'gz-in-gz', mediaType: OciLayerGzip, blob: () => gzipSync(gzipSync(tar())), refused: 'ERR_INVALID_TAR' },
  {
    name: 'gzip/test_read_filter_gzip_recursive.gz',
    mediaType: OciLayerGzip,
    blob: () => Array.from({ length: 20 }).reduce<Buffer>(bytes => gzipSync(bytes), tar()),
    refused: 'ERR_INVALID_TAR',
  },
  {
    name: 'xz-layer',
    mediaType: OciLayer,
    blob: () => Buffer.from('fd377a585a000004e6d6b446', 'hex'),
    diffId: tar,
    refused: unsupported,
  },
  {
    name: 'bz2-layer',
    mediaType: OciLayer,
    blob: () => Buffer.from('425a683931415926535900', 'hex'),
    diffId: tar,
    refused: unsupported,
  },
]
