import type { Digest } from '../../digest/index.ts'

/** A statement about artifacts: an SBOM, a provenance, a report. Plain JSON. */
export interface ImageStatement {
  /** Format of the statement. */
  readonly _type: string
  /** URI of the kind of the predicate. */
  readonly predicateType: string
  /** The artifacts that it is about. */
  readonly subject: readonly {
    /** Name of the artifact. */
    readonly name: string
    /** Digests by algorithm, in hexadecimal. */
    readonly digest: Readonly<Record<string, string>>
  }[]
  /** Content of the statement, such as an SPDX document. */
  readonly predicate: unknown
}

/** Predicate types that this library writes. */
export const PredicateType = {
  /** An SPDX document. */
  Spdx: 'https://spdx.dev/Document',
  /** A CycloneDX document. */
  CycloneDx: 'https://cyclonedx.org/bom',
  /** SLSA provenance, version 1. */
  Provenance: 'https://slsa.dev/provenance/v1',
} as const

/** Options of {@link makeStatement}. */
export interface StatementOptions {
  /** Digest of the manifest that the statement is about. */
  readonly digest: Digest
  /** Names of the image, as package URLs or words. @defaultValue `_`, as BuildKit names what has no name */
  readonly names?: readonly string[] | undefined
  /** URI of the kind of the predicate. */
  readonly predicateType: string
  /** Content of the statement, such as an SPDX document. */
  readonly predicate: unknown
}

/**
 * Makes an in-toto statement about an image, in the version that BuildKit and cosign write (v0.1).
 *
 * @example
 * ```ts
 * const predicate = toSpdx(await readPackages(store, 'app:1.0'), { name: 'app:1.0' })
 * const statement = makeStatement({ digest, predicateType: PredicateType.Spdx, predicate })
 * ```
 *
 * @see {@link https://github.com/in-toto/attestation/blob/main/spec/v0.1.0/README.md | in-toto: statements}
 */
export function makeStatement({ digest, names = ['_'], predicateType, predicate }: StatementOptions): ImageStatement {
  const [algorithm, hex] = digest.split(':') as [string, string]
  return {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject: names.map(name => ({ name, digest: { [algorithm]: hex } })),
    predicate,
  }
}
