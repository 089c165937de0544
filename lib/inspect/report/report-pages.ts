import { LRUCache } from 'lru-cache'
import type { HasherEngine } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import { type Image, readImage } from '../../image/index.ts'
import { Semaphore } from '../../internal/concurrency/semaphore.ts'
import { SingleFlight } from '../../internal/concurrency/single-flight.ts'
import { htmlReport, MOST_IMAGES } from './html-report.ts'
import { ImageLister } from './list-images.ts'
import { contentPolicy, renderPage } from './render-page.ts'
import type { ReportedStore } from './reported-store.ts'

/** Request for a page. */
export interface PageRequest {
  /** Path without query, as the client sent it. */
  readonly path: string
  /** Decoded parameters of the query. */
  readonly query: URLSearchParams
  /** Fires when the client disconnects. */
  readonly signal?: AbortSignal | undefined
}

/** Answer to a request for a page. */
export interface ReportPage {
  /** HTTP status. */
  readonly status: number
  /** HTTP headers. */
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of the page: HTML in UTF-8. */
  readonly body: Uint8Array
}

/** Options of {@link createReportPages}. */
export interface ReportPagesOptions {
  /** Engine that computes the digests of layers that must be indexed. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** Bytes of pages that are kept for the next request. */
const KEPT_BYTES = 32 * 1024 * 1024

/** SAFETY: a report takes processor time and memory; any number of clients may ask for reports. */
const MOST_AT_ONCE = 1

const HOME = '/'
const REPORT = '/report'

/** Statuses of answers by the error of the library; other errors are failures of the server. */
const STATUSES: Readonly<Record<string, number>> = {
  ERR_REFERENCE_NOT_FOUND: 404,
  ERR_BLOB_NOT_FOUND: 404,
  ERR_PLATFORM_NOT_FOUND: 404,
  ERR_UNSUPPORTED_MEDIA_TYPE: 404,
  ERR_INVALID_ARGUMENT: 400,
  ERR_INVALID_PLATFORM: 400,
  ERR_INVALID_REFERENCE: 400,
}

/**
 * Returns a function that answers requests for pages about the images of a store: `/` lists them, and
 * `/report?image=NAME` is the page of {@link htmlReport}, of several images with `image` repeated; `platform` chooses
 * from indexes. Reports are made when they are asked for, one at a time, and kept as long as the names refer to the
 * same images, up to 32 MB. Nothing but derived data is written to the store.
 *
 * It resolves to `undefined` for other paths, and rejects for errors that are no fault of the request. It is what the
 * option `pages` of `createRegistryServer` takes.
 *
 * @example
 * ```ts
 * const pages = createReportPages(store)
 * const list = await pages({ path: '/', query: new URLSearchParams() })
 * console.log(list?.status, list?.headers['Content-Security-Policy'])
 * ```
 */
export function createReportPages(
  store: ReportedStore,
  options: ReportPagesOptions = {},
): (request: PageRequest) => Promise<ReportPage | undefined> {
  const lister = new ImageLister(store)
  const reports = new ReportMaker(store, options)
  return async ({ path, query, signal }) => {
    if (path === HOME) {
      const list = await lister.list({ signal })
      return pageOf(200, renderPage('', { kind: 'list', ...list, report: REPORT }))
    }
    if (path !== REPORT) return undefined
    try {
      return pageOf(200, await reports.make(query, signal))
    } catch (error) {
      const status = LayerStoreError.is(error) ? STATUSES[error.code] : undefined
      if (status === undefined) throw error
      const { code, message } = error as LayerStoreError
      return pageOf(status, renderPage('', { kind: 'error', code, message, home: HOME }))
    }
  }
}

class ReportMaker {
  readonly #store: ReportedStore
  readonly #options: ReportPagesOptions
  readonly #kept = new LRUCache<string, string>({ maxSize: KEPT_BYTES, sizeCalculation: page => page.length })
  readonly #flights = new SingleFlight<string>()
  readonly #turns = new Semaphore(MOST_AT_ONCE)

  constructor(store: ReportedStore, options: ReportPagesOptions) {
    this.#store = store
    this.#options = options
  }

  async make(query: URLSearchParams, signal: AbortSignal | undefined): Promise<string> {
    const platform = query.get('platform') ?? undefined
    const images: { name: string; image: Image }[] = []
    for (const name of query.getAll('image').slice(0, MOST_IMAGES + 1)) {
      images.push({ name, image: await readImage(this.#store, name, { platform, signal }) })
    }
    const key = JSON.stringify(images.map(({ name, image }) => [name, image.descriptor.digest]))
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const page = await this.#flights.run(key, signal => this.#write(images, signal), signal)
    this.#kept.set(key, page)
    return page
  }

  async #write(images: readonly { name: string; image: Image }[], signal: AbortSignal): Promise<string> {
    const release = await this.#turns.acquire(signal)
    try {
      const sources = images.map(one => ({ store: this.#store, ...one }))
      return await htmlReport(sources, { ...this.#options, signal, home: HOME })
    } finally {
      release()
    }
  }
}

/** SAFETY: no other site may frame a page, read it, or learn from a link which images there are. */
function pageOf(status: number, text: string): ReportPage {
  const body = Buffer.from(text)
  return {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': `${body.byteLength}`,
      'Content-Security-Policy': `${contentPolicy()}; frame-ancestors 'none'`,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-store',
    },
    body,
  }
}
