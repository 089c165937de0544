/** Content of a provenance besides the materials. */
export interface ProvenanceOptions {
  /** `min` leaves out arguments, target and labels. @defaultValue `'min'` */
  readonly mode?: 'min' | 'max' | undefined
  /** URI of the builder. @defaultValue `pkg:npm/layerstore` */
  readonly builderId?: string | undefined
  /** Build arguments, for `max`. Values of names that seem to be secrets, and passwords in addresses, are hidden. */
  readonly buildArgs?: Readonly<Record<string, string | undefined>> | undefined
  /** Name of the stage that was built, for `max`. */
  readonly target?: string | undefined
  /** Address of the context, if it is one of a repository. */
  readonly source?: string | undefined
}

/** Statements about its images that a build adds to them. */
export interface BuildAttestations {
  /** Adds a SLSA provenance to each image. */
  readonly provenance?: ProvenanceOptions | undefined
  /** Adds the packages of each image, as SPDX. Fetches all layers of its bases. */
  readonly sbom?: boolean | undefined
}
