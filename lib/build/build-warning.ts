/** Something that a build passes over and that is most likely a mistake. Plain JSON data. */
export interface BuildWarning {
  /**
   * Kind of the warning: `UnusedBuildArgs`: no ARG declares them. `InvalidBaseImagePlatform`: a base is for another
   * platform than its stage; the name is that of BuildKit's rule. `CacheNotImported`: the build goes on without a cache
   * of `cacheFrom`.
   */
  readonly code: 'UnusedBuildArgs' | 'InvalidBaseImagePlatform' | 'CacheNotImported'
  /** One line for users. */
  readonly message: string
  /** Position in the Dockerfile, as `file:line:column`. */
  readonly at?: string | undefined
}
