import { LayerStoreError } from '../../errors/index.ts'

/** The worker processes of `serve` crash again and again. */
export class WorkersError extends LayerStoreError {
  readonly code = 'ERR_SERVE_WORKERS'

  /** @param last - How the last worker ended. */
  constructor(crashes: number, windowMs: number, last: string) {
    super(
      `${crashes} worker processes crashed within ${windowMs / 1000} s, the last one ${last}; ` +
        'their messages are above; --workers 1 serves without them',
    )
  }
}
