import { tarEnd } from '../tar-block.ts'

/** An archive and the expected result of reading it: an error, or entries with these members. */
export interface TarCase {
  /** Case name, as in the catalogue of hostile input. */
  readonly name: string
  readonly bytes: () => Uint8Array
  /** Code of the error. */
  readonly refused?: 'ERR_INVALID_TAR' | 'ERR_LIMIT_EXCEEDED'
  /** All entries in their order; `text` is the content. */
  readonly entries?: readonly Readonly<Record<string, unknown>>[]
}

/** Members, followed by the end of an archive. */
export const archive = (...members: readonly Uint8Array[]): Buffer => Buffer.concat([...members, tarEnd])

/** A case that must be rejected as malformed. */
export const malformed = (name: string, ...members: readonly Uint8Array[]): TarCase => ({
  name,
  bytes: () => archive(...members),
  refused: 'ERR_INVALID_TAR',
})

/** A case that must be rejected because it exceeds a limit. */
export const excessive = (name: string, ...members: readonly Uint8Array[]): TarCase => ({
  name,
  bytes: () => archive(...members),
  refused: 'ERR_LIMIT_EXCEEDED',
})

/** A case that must be read. */
export const good = (name: string, entries: NonNullable<TarCase['entries']>, ...members: Uint8Array[]): TarCase => ({
  name,
  bytes: () => archive(...members),
  entries,
})
