import { fewLarge } from './few-large.mjs'

/** One large file that no compressor makes smaller, like a layer of media or of archives. */
export function incompressible({ bytes = 2 ** 28 } = {}) {
  return fewLarge({ bytes, kind: 'packed', seed: 'incompressible' })
}
