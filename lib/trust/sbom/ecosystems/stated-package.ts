/** One package, as a record of a package manager states it. */
export interface StatedPackage {
  readonly name: string
  readonly version: string
  readonly architecture?: string | undefined
  readonly license?: string | undefined
  readonly source?: { readonly name: string; readonly version: string } | undefined
}
