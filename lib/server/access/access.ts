/** What a request wants to do. */
export type RegistryAction = 'pull' | 'push' | 'delete'

/** Who wants to do what. */
export interface RegistryAccess {
  /** What is to be done. Asking whether there is a registry (`GET /v2/`) and for the catalog is a pull without repository. */
  readonly action: RegistryAction
  /** Repository as the path names it; `undefined` for what concerns the registry as a whole. */
  readonly repository: string | undefined
  /** User name of the request's basic credentials; `undefined` if it has none. */
  readonly username: string | undefined
  /** Password of the request's basic credentials. */
  readonly password: string | undefined
}

/**
 * Decides whether a request may be served: `true`, or `false` (status 401: log in), or `'denied'` (status 403: who asks is
 * known, and may not).
 */
export type Authorize = (access: RegistryAccess) => boolean | 'denied' | Promise<boolean | 'denied'>
