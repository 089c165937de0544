import { fewLarge } from './few-large.mjs'

/** One large file that no compressor shrinks, like a layer of media files or archives. */
export function incompressible({ bytes = 2 ** 28 } = {}) {
  return fewLarge({ bytes, kind: 'packed', seed: 'incompressible' })
}
