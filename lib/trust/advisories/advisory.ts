/** An advisory in the form of OSV, as far as it is read. */
export interface Advisory {
  /** Identifier, such as `GHSA-…` or `CVE-…`. */
  readonly id: string
  /** Other identifiers of the same. */
  readonly aliases: readonly string[]
  /** Identifiers of the vulnerabilities that it sums up, such as the `CVE-…` of a `USN-…`. */
  readonly upstream?: readonly string[] | undefined
  /** One line about it, if it has one. */
  readonly summary?: string | undefined
  /** Packages and versions that it is about. */
  readonly affected: readonly AffectedPackage[]
}

/** Versions of one package that an advisory is about. */
export interface AffectedPackage {
  /** Ecosystem as OSV names it, such as `npm` or `Debian:12`. */
  readonly ecosystem: string
  /** Name of the package; of systems that of the source package. */
  readonly name: string
  /** Versions, one by one. */
  readonly versions: readonly string[]
  /** Ranges of versions: lists of events. */
  readonly ranges: readonly (readonly RangeEvent[])[]
  /** Severity: by CVSS 3, else in the words of the database. */
  readonly severity: Severity
}

/** Event of a range: from this version on, before it, or up to it. */
export interface RangeEvent {
  /** Kind of the event. */
  readonly kind: 'introduced' | 'fixed' | 'last_affected'
  /** Version of the event; `0` is before every version. */
  readonly version: string
}

/** Severity of an advisory. */
export type Severity = 'unknown' | 'low' | 'medium' | 'high' | 'critical'
