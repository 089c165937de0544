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

/** Where a request comes from. */
export interface RegistryCaller {
  /**
   * What its client is told apart from others by: an IPv4 address, or the first half of an IPv6 address, unless the server
   * was given `clientOf`.
   */
  readonly client?: string | undefined
  /** Fires when the client has left. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Decides whether a request may be served: `true`, or `false` (status 401: log in), `'denied'` (status 403: the user is known
 * and may not), or `'busy'` (status 429: too many log-ins are being checked). A function that asks another one, such as that
 * of {@link allowHtpasswd}, passes both arguments on.
 */
export type Authorize = (
  access: RegistryAccess,
  caller?: RegistryCaller,
) => boolean | 'denied' | 'busy' | Promise<boolean | 'denied' | 'busy'>
