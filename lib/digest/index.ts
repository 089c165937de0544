export type { DigestCheckpoint } from './checkpoint.ts'
export {
  DIGEST_ALGORITHMS,
  type Digest,
  type DigestAlgorithm,
  isDigest,
  isWellFormedDigest,
  parseDigest,
  type SplitDigest,
  splitDigest,
} from './digest.ts'
export { digestOf } from './digest-of.ts'
export { createDigestSeries, type DigestSeries } from './digest-series.ts'
export { createDigester, Digester, type DigesterOptions, restoreDigester } from './digester.ts'
export type { HasherEngine } from './engine.ts'
export {
  type FileBorrower,
  type FileLender,
  type FileLoan,
  LenderFault,
  type LentFile,
  type LentProgress,
  MOST_TAKEN,
  type ReturnedFile,
  TakenBytes,
  takenBytes,
  type WriterRefusal,
} from './lent-file.ts'
export {
  type FailedRead,
  LentBytes,
  type LentSource,
  type LoanFault,
  SourceLoan,
  type SourceProof,
  type WrongDigest,
  type WrongSize,
} from './lent-source.ts'
export { createStreamDigester, restoreStreamDigester, StreamDigester } from './stream-digester.ts'
export { isBcrypt, verifyBcrypt } from './verify-bcrypt.ts'
export { type ExpectedBytes, type VerifyBytesOptions, verifyBytes } from './verify-bytes.ts'
export { blobThreadLimit, setHashWorkers } from './worker/hash-workers.ts'
export { createXxhash64, type Xxhash64 } from './xxhash64.ts'
