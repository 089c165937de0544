import { connect, type NetConnectOpts, type Socket } from 'node:net'

/** Size of one read while no reader has diverted the socket. */
const ORDINARY_BYTES = 64 * 1024

/** Receiver of the bytes of a diverted socket. */
export interface SocketReader {
  /**
   * Returns the memory for the next bytes, at least one. The socket calls it after each `took`, even if that returned
   * `false`.
   */
  room(): Uint8Array
  /** Receives the bytes just read, which lie at the start of `memory`. `false` stops reading until `socket.read(0)`. */
  took(memory: Uint8Array): boolean
}

const diversions = new WeakMap<Socket, (reader: SocketReader) => void>()

/**
 * Opens a connection whose bytes can be diverted from its stream straight into memory of a {@link SocketReader}.
 *
 * PERF: a stream allocates memory for each 64 KiB that it reads, which costs more than receiving them.
 */
export function connectDivertible(options: NetConnectOpts): Socket {
  let memory: Uint8Array = Buffer.allocUnsafeSlow(ORDINARY_BYTES)
  let reader: SocketReader | undefined
  const callback = (bytes: number, filled: Uint8Array) => {
    const came = filled.subarray(0, bytes)
    if (reader) return reader.took(came)
    const continues = socket.push(came)
    // SAFETY: node:http copies pushed bytes at once, so the memory can be reused. If the stream has queued them
    // instead, the next read would overwrite them: leave that memory to the stream.
    if (socket.readableLength > 0) memory = Buffer.allocUnsafeSlow(ORDINARY_BYTES)
    // The push may have diverted the socket; the socket then continues to read for its reader.
    return continues || reader !== undefined
  }
  const socket = connect({ ...options, onread: { buffer: () => reader?.room() ?? memory, callback } })
  diversions.set(socket, to => {
    reader = to
  })
  return socket
}

/** True if {@link connectDivertible} opened the socket. */
export function isDivertible(socket: Socket): boolean {
  return diversions.has(socket)
}

/**
 * Diverts all further bytes of a socket from its stream to a reader, permanently. The first bytes may be in memory that
 * the reader did not provide.
 */
export function divert(socket: Socket, reader: SocketReader): void {
  diversions.get(socket)?.(reader)
}
