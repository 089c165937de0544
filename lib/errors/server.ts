import { LayerStoreError } from './base.ts'

/** A server that cannot listen at an address: it is in use, not of this machine, or not allowed. */
export class ListenError extends LayerStoreError {
  readonly code = 'ERR_LISTEN'
  /** The requested address, as `host:port`. */
  readonly address: string
  /** The system's error name (`EADDRINUSE`, `EACCES`, …). */
  readonly errno: string

  /** @internal */
  constructor(address: string, errno: string, options?: ErrorOptions) {
    const why = Object.hasOwn(REASONS, errno) ? REASONS[errno] : undefined
    super(`cannot listen on ${address}: ${why ? `${why} (${errno})` : errno}`, options)
    this.address = address
    this.errno = errno
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; choose another port, or 0 for a free one',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not use the port; ports from 1024 on need no rights',
  EPERM: 'this user may not use the port; ports from 1024 on need no rights',
  ENOTFOUND: 'host not found (DNS)',
  EAI_AGAIN: 'the name server did not answer',
}
