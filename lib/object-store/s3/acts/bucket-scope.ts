import { invalidArgument } from '../../../internal/invalid-argument.ts'
import type { Requester } from '../requests/requester.ts'

/** SPEC: the longest key of S3, in bytes. */
const MOST_KEY_BYTES = 1024

/** One bucket below one prefix. */
export class BucketScope {
  readonly requester: Requester
  readonly prefix: string
  /** The engine compares the ETag of `If-Match` without its quotes; the first refusal shows that. */
  comparesPlainEtags = false

  /** @param prefix - Empty, or a text with a slash at its end. */
  constructor(requester: Requester, prefix: string) {
    this.requester = requester
    this.prefix = prefix
  }

  /**
   * Whole key of an object.
   *
   * @throws `FormatError` `ERR_INVALID_ARGUMENT` for a key that services or proxies would change.
   */
  keyOf(key: unknown): string {
    // SAFETY: proxies resolve `.` and `..` in a path, so such a key would lead to another object.
    const isPlain = typeof key === 'string' && key !== '' && !/(?:^|\/)\.{0,2}(?:\/|$)|[\x00-\x1f\x7f]/.test(key)
    if (!isPlain) throw invalidArgument('key', 'a text without empty, "." and ".." parts and control characters', key)
    const whole = this.prefix + key
    if (Buffer.byteLength(whole) > MOST_KEY_BYTES) throw invalidArgument('key', `at most ${MOST_KEY_BYTES} bytes`, key)
    return whole
  }

  /** Key below the prefix; `undefined` for one that is not below it. */
  withoutPrefix(whole: string): string | undefined {
    return whole.startsWith(this.prefix) ? whole.slice(this.prefix.length) : undefined
  }
}
