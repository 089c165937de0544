import { LimitError, SizeMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { Member } from '../members/member.ts'

/** Reads a small file of an archive as a whole. */
export async function readMember(member: Member, limit: number, options: AbortOptions): Promise<Uint8Array> {
  const { path, size } = member
  // SAFETY: the size in a header may be huge. A file above the limit is rejected before any byte is read, so it cannot
  // exhaust memory.
  if (size > limit) throw new LimitError('bytes', { limit, actual: size, where: path })
  const bytes = await collectBytes(member.read({ signal: options.signal }), limit, `bytes of ${path}`)
  if (bytes.byteLength !== size) throw new SizeMismatchError({ expected: size, actual: bytes.byteLength, what: path })
  return bytes
}
