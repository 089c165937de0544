/** Image in the list of a store. */
export interface ListedImageName {
  /** Name in the store. */
  readonly name: string
  /** Digest of the document that the name refers to. */
  readonly digest: string
  /** Platforms that can be reported; empty for an image that names none. */
  readonly platforms: readonly string[]
  /** Bytes of the compressed layers of an image; absent for an index. */
  readonly blobBytes?: number
  /** Number of layers of an image; absent for an index. */
  readonly layers?: number
  /** Creation time as the config states it. */
  readonly created?: string
  /** Reason why there is no report. */
  readonly fault?: string
}

/** Data of a page that lists the images of a store. Plain JSON. */
export interface ListData {
  readonly kind: 'list'
  readonly images: readonly ListedImageName[]
  /** Number of names that are left out. */
  readonly more: number
  /** Address of a report, to which a query is added. */
  readonly report: string
}

/** Data of a page that says why there is no report. Plain JSON. */
export interface ErrorData {
  readonly kind: 'error'
  /** Stable code of the error, if it has one. */
  readonly code?: string
  readonly message: string
  /** Address of the list of images. */
  readonly home: string
}
