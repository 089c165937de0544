import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { needsProgram } from './needs-program.ts'

/** True if Redis exists here; prints that it is missing otherwise. */
export function needsRedis(): boolean {
  return needsProgram('redis-server')
}

/** A Redis server of a test file. */
export interface StartedRedis extends AsyncDisposable {
  /** Opens a connection of its own. */
  connect(): Promise<RedisConnection>
  /** Stops the answers of the server; it keeps its connections. */
  pause(): void
  resume(): void
}

/** Starts a Redis server on a socket in a directory of its own; it saves nothing. */
export async function startRedis(): Promise<StartedRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'))
  const path = join(directory, 'socket')
  const options = ['--port', '0', '--unixsocket', path, '--dir', directory, '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', options, { stdio: 'ignore' })
  const connections: RedisConnection[] = []
  const stop = async () => {
    for (const connection of connections) connection.close()
    await end(server)
    rmSync(directory, { recursive: true, force: true })
  }
  const open = async () => {
    const connection = await RedisConnection.open(path)
    connections.push(connection)
    return connection
  }
  try {
    await answering(open)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    connect: open,
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
}

async function answering(open: () => Promise<RedisConnection>): Promise<void> {
  for (const until = Date.now() + 10_000; ; await sleep(10)) {
    const answer = await open()
      .then(connection => connection.sendCommand(['PING']))
      .catch((error: unknown) => error)
    if (answer === 'PONG') return
    if (Date.now() > until) throw new Error('Redis did not start', { cause: answer })
  }
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The part of a client of Redis that locks use: commands and answers in order, on one connection. */
export class RedisConnection {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  #rest = Buffer.alloc(0)

  static async open(path: string): Promise<RedisConnection> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new RedisConnection(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', bytes => this.#take(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('Redis closed the connection'))
    })
  }

  /** Sends a command. SPEC: Redis serialization protocol (RESP2): an array of bulk strings. */
  sendCommand(words: string[]): Promise<unknown> {
    const bulk = words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection to Redis is closed'))
      this.#waiting.push({ resolve, reject })
      this.#socket.write(`*${words.length}\r\n${bulk.join('')}`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    for (let answer = parse(this.#rest); answer; answer = parse(this.#rest)) {
      this.#rest = this.#rest.subarray(answer.size)
      const waiting = this.#waiting.shift()
      if (answer.value instanceof Error) waiting?.reject(answer.value)
      else waiting?.resolve(answer.value)
    }
  }
}

/** Parses the first answer, if it is whole. The commands of locks have no arrays as answers. */
function parse(bytes: Buffer): { value: unknown; size: number } | undefined {
  const end = bytes.indexOf('\r\n')
  if (end === -1) return undefined
  const [kind, text, size] = [bytes.toString('latin1', 0, 1), bytes.toString('utf8', 1, end), end + 2]
  if (kind === '+') return { value: text, size }
  if (kind === '-') return { value: new Error(text), size }
  if (kind === ':') return { value: Number(text), size }
  if (kind !== '$') throw new Error(`an answer of Redis that no lock asks for: ${kind}`)
  const length = Number(text)
  if (length === -1) return { value: null, size }
  if (bytes.byteLength < size + length + 2) return undefined
  return { value: bytes.toString('utf8', size, size + length), size: size + length + 2 }
}
