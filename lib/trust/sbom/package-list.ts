import type { Digest } from '../../digest/index.ts'

/** Kind of a package, as a package URL names it. */
export type PackageType = 'deb' | 'apk' | 'rpm' | 'npm' | 'pypi' | 'golang' | 'maven'

/** A package in the root filesystem of an image. */
export interface FoundPackage {
  /** Kind of the package. */
  readonly type: PackageType
  /** Name as the package manager prints it; of npm with the scope, of Maven with the group, as `group:artifact`. */
  readonly name: string
  /** Version as the package manager prints it. */
  readonly version: string
  /** Architecture, of system packages only. */
  readonly architecture?: string | undefined
  /** Source package that it was built from, if a package of a system names another one than itself. */
  readonly source?:
    | {
        /** Name of the source package. */
        readonly name: string
        /** Version of the source package. */
        readonly version: string
      }
    | undefined
  /** Package URL. */
  readonly purl: string
  /** Licence as the package states it, unchanged: an SPDX expression, or words. */
  readonly license?: string | undefined
  /** File of the image that says that the package is there; of an archive within an archive both, joined by `!/`. */
  readonly path: string
  /** Index of the layer that brought this version, from 0 for the lowest. */
  readonly layer: number
  /** diffID of that layer. */
  readonly diffId: Digest
}

/** The system, as `os-release` names it. */
export interface OsRelease {
  /** Name for programs, for example `debian`. */
  readonly id: string
  /** Version for programs, for example `12`; a rolling release has none. */
  readonly version?: string | undefined
  /** Name for people. */
  readonly name?: string | undefined
}

/** A file that lists packages, or is one, and was not read. */
export interface UnreadPackages {
  /** The file, without a leading `/`. */
  readonly path: string
  /** Reason for which it was not read. */
  readonly reason: string
}

/** Packages of one image. Plain data; lists are sorted, so that equal images have equal lists. */
export interface PackageList {
  /** Version of this format. */
  readonly version: 1
  /** Digest of the manifest. */
  readonly digest: Digest
  /** Platform, if the config has one. */
  readonly platform?: string | undefined
  /** Time at which the image was made, as its config says. */
  readonly created?: string | undefined
  /** The system, if the image has an `os-release`. */
  readonly os?: OsRelease | undefined
  /** The packages, sorted. */
  readonly packages: readonly FoundPackage[]
  /** Files with packages that are missing in `packages`. */
  readonly unread: readonly UnreadPackages[]
}
