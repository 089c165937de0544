import { contentOf } from './content.mjs'

const PIECE = 2 ** 20

/** One large file that deflates to about a third, or not at all (`kind: 'packed'`), generated piece by piece. */
export function* fewLarge({ bytes = 2 ** 30, kind = 'text', seed = 'few-large' } = {}) {
  yield { path: 'large.bin', type: 'file', mode: 0o644, size: bytes, content: () => pieces(bytes, kind, seed) }
}

function* pieces(bytes, kind, seed) {
  for (let at = 0, i = 0; at < bytes; at += PIECE, i++) {
    // A fifth is machine code, as in a model file or a database with indexes.
    const mixed = kind === 'text' && i % 5 === 4 ? 'binary' : kind
    yield contentOf(mixed, `${seed}:${i}`, Math.min(PIECE, bytes - at))
  }
}
