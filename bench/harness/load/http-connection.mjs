import { createHash } from 'node:crypto'
import { connect } from 'node:net'

/**
 * One keep-alive HTTP/1.1 connection that sends one request at a time. It parses only what the benchmark needs:
 * node:http would use more processor time for 200 connections than the measured servers.
 */
export class HttpConnection {
  #socket
  #exchange
  #head = Buffer.alloc(0)
  #failure

  constructor(host) {
    const [hostname, port] = host.split(':')
    this.#socket = connect(Number(port), hostname).setNoDelay(true)
    this.#socket.on('data', chunk => this.#take(chunk))
    this.#socket.on('error', error => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** Resolves to status, headers, size and, with `hash`, the digest of the body. Rejects if the connection breaks. */
  request(method, path, { headers = {}, body, hash = false } = {}) {
    if (this.#failure) return Promise.reject(this.#failure)
    const length = body || !['GET', 'HEAD'].includes(method) ? { 'Content-Length': body?.byteLength ?? 0 } : {}
    const lines = Object.entries({ Host: 'bench', ...length, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    return new Promise((resolve, reject) => {
      this.#exchange = { method, resolve, reject, hasher: hash ? createHash('sha256') : undefined }
      this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
      if (body) this.#socket.write(body)
    })
  }

  /** Stops reading: the server has to wait. */
  stall() {
    this.#socket.pause()
  }

  close() {
    this.#socket.destroy()
  }

  #take(chunk) {
    const exchange = this.#exchange
    if (!exchange) return
    if (exchange.left !== undefined) return this.#takeBody(exchange, chunk)
    this.#head = this.#head.length > 0 ? Buffer.concat([this.#head, chunk]) : chunk
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) return
    const [first, ...lines] = this.#head.toString('latin1', 0, end).split('\r\n')
    exchange.status = Number(first.split(' ')[1])
    exchange.headers = Object.fromEntries(
      lines.map(line => line.split(/: ?(.*)/s)).map(([k, v]) => [k.toLowerCase(), v]),
    )
    const isEmpty = exchange.method === 'HEAD' || exchange.status === 204
    const length = exchange.headers['content-length']
    if (!isEmpty && length === undefined) return this.#fail(new Error(`no length with status ${exchange.status}`))
    exchange.size = exchange.left = isEmpty ? 0 : Number(length)
    const rest = this.#head.subarray(end + 4)
    this.#head = Buffer.alloc(0)
    this.#takeBody(exchange, rest)
  }

  #takeBody(exchange, chunk) {
    exchange.left -= chunk.byteLength
    exchange.hasher?.update(chunk)
    if (exchange.left > 0) return
    this.#exchange = undefined
    const { status, headers, size, hasher } = exchange
    exchange.resolve({ status, headers, size, digest: hasher && `sha256:${hasher.digest('hex')}` })
  }

  #fail(error) {
    this.#failure ??= error
    this.#exchange?.reject(error)
    this.#exchange = undefined
  }
}
