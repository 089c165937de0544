/** One image of `images`, as `--json` prints it. */
export interface ListedImage {
  readonly name: string
  readonly digest: string
  readonly mediaType: string
  readonly platforms: readonly string[]
  /** Bytes of the configs, layers and other content that the name reaches, summed over all platforms in the store. */
  readonly size: number
  /** Creation time of the newest image that the name reaches. */
  readonly created?: string
  /** Labels of the image, or of all images of an index. */
  readonly labels?: Readonly<Record<string, string>>
  /** Layers that are not in the store, because the base was not pulled, and the repositories that hold them. */
  readonly remote?: { readonly bytes: number; readonly from: readonly string[] }
  /** Reason why the image could not be read. */
  readonly error?: { readonly code: string; readonly message: string }
}
