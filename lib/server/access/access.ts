/** Kind of access that a request needs. */
export type RegistryAction = 'pull' | 'push' | 'delete'

/** Access that a request asks for, with the credentials that it sends. */
export interface RegistryAccess {
  /** Kind of access. `GET /v2/` and the catalog are a pull without a repository. */
  readonly action: RegistryAction
  /** Repository as named in the path; `undefined` for requests about the registry as a whole. */
  readonly repository: string | undefined
  /** User name of the request's basic credentials; `undefined` if it has none. */
  readonly username: string | undefined
  /** Password of the request's basic credentials. */
  readonly password: string | undefined
}

/** Client that sent the request. */
export interface RegistryCaller {
  /**
   * Key that identifies the client for limits: an IPv4 address, or the first half of an IPv6 address, unless the server
   * has a `clientOf` option.
   */
  readonly client?: string | undefined
  /** Fires when the client disconnects. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Decides whether a request may be served.
 *
 * - `true`: serve it.
 * - `false`: status 401; the client must log in.
 * - `'denied'`: status 403; the user is known and lacks the permission.
 * - `'busy'`: status 429; too many password checks are waiting.
 *
 * A function that wraps another `Authorize`, such as the result of {@link allowHtpasswd}, passes both arguments on.
 */
export type Authorize = (
  access: RegistryAccess,
  caller?: RegistryCaller,
) => boolean | 'denied' | 'busy' | Promise<boolean | 'denied' | 'busy'>
