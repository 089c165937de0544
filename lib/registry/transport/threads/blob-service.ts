import { NodeTransport } from '../node-transport.ts'
import type { TlsSettings, WireRequest } from '../transport.ts'
import type { BlobNews, BlobQuestion, ClientSettings, ThreadRequest } from './blob-messages.ts'
import { ReadSource } from './read-source.ts'
import { ServedExchange } from './served-exchange.ts'

/** Sends a message to the calling thread; the memory in `moved` moves along. */
export type SendNews = (news: BlobNews, moved?: ArrayBuffer[]) => void

/** The connections of one client in this thread. */
interface Client {
  readonly transport: NodeTransport
  /** Settings by their text: a transport shares connections between requests with the same object. */
  readonly tls: Map<string, TlsSettings>
}

/** The work of a blob thread: carries out exchanges, and appends bodies to files. */
export class BlobService {
  readonly #send: SendNews
  readonly #clients = new Map<number, Client>()
  readonly #exchanges = new Map<number, ServedExchange>()
  readonly #sources = new Map<number, Promise<ReadSource>>()

  constructor(send: SendNews) {
    this.#send = send
  }

  take(question: BlobQuestion): void {
    if (question.type === 'client') this.#admit(question.client, question.settings)
    else if (question.type === 'forget') this.#forget(question.client)
    else if (question.type === 'lend') this.#sources.set(question.source, ReadSource.open(question.file))
    else if (question.type === 'reclaim') void this.#close(question.source)
    else if (question.type === 'exchange') this.#begin(question.id, question.client, question.request)
    // The exchange may have ended while the message was on its way.
    else this.#exchanges.get(question.id)?.take(question)
  }

  #admit(client: number, settings: ClientSettings): void {
    this.#clients.set(client, { transport: new NodeTransport(settings), tls: new Map() })
  }

  #forget(client: number): void {
    this.#clients.get(client)?.transport.close()
    this.#clients.delete(client)
  }

  async #close(source: number): Promise<void> {
    const closing = this.#sources.get(source)
    this.#sources.delete(source)
    // A source that could not be opened is not read.
    await closing?.then(
      read => read.close(),
      () => undefined,
    )
    this.#send({ type: 'reclaimed', source })
  }

  #begin(id: number, client: number, request: ThreadRequest): void {
    const { transport, tls } = this.#clients.get(client)!
    const exchange = new ServedExchange(
      (news, moved) => this.#send({ id, ...news }, moved),
      () => this.#exchanges.delete(id),
    )
    this.#exchanges.set(id, exchange)
    void exchange.begin(transport, wireRequest(request, tls), request.bodyBytes, source => this.#sources.get(source))
  }
}

function wireRequest(
  { method, url, headers, tls, reach }: ThreadRequest,
  known: Map<string, TlsSettings>,
): WireRequest {
  return { method, url: new URL(url), headers, reach, borrow: true, tls: tls && sameSettings(tls, known) }
}

function sameSettings(tls: TlsSettings, known: Map<string, TlsSettings>): TlsSettings {
  const key = JSON.stringify(tls)
  const settings = known.get(key) ?? tls
  known.set(key, settings)
  return settings
}
