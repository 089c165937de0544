import { connect, type NetConnectOpts, type Socket } from 'node:net'

/** What a socket reads at a time while nobody has diverted it. */
const ORDINARY_BYTES = 64 * 1024

/** Where the bytes of a diverted socket go. */
export interface SocketReader {
  /** Memory for the next bytes, at least one; asked for after each `took`, also when that was `false`. */
  room(): Uint8Array
  /** Bytes have come, at the beginning of `memory`. `false` stops reading until `socket.read(0)`. */
  took(memory: Uint8Array): boolean
}

const diversions = new WeakMap<Socket, (reader: SocketReader) => void>()

/**
 * A connection whose bytes can be taken off before they pass through its stream, straight into memory of the taker.
 *
 * PERF: a stream gets each 64 KiB in memory of its own, which costs more than receiving them.
 */
export function connectDivertible(options: NetConnectOpts): Socket {
  let memory: Uint8Array = Buffer.allocUnsafeSlow(ORDINARY_BYTES)
  let reader: SocketReader | undefined
  const callback = (bytes: number, filled: Uint8Array) => {
    const came = filled.subarray(0, bytes)
    if (reader) return reader.took(came)
    const goesOn = socket.push(came)
    // SAFETY: node:http copies what it is given at once; what the stream has kept instead must stay as it is.
    if (socket.readableLength > 0) memory = Buffer.allocUnsafeSlow(ORDINARY_BYTES)
    // Diverted by what was just pushed, the socket reads on for its reader.
    return goesOn || reader !== undefined
  }
  const socket = connect({ ...options, onread: { buffer: () => reader?.room() ?? memory, callback } })
  diversions.set(socket, to => {
    reader = to
  })
  return socket
}

/** Whether the socket is one whose bytes can be diverted. */
export function isDivertible(socket: Socket): boolean {
  return diversions.has(socket)
}

/** From now on the bytes go to a reader, and past the stream; for good. The first ones may come in other memory than its own. */
export function divert(socket: Socket, reader: SocketReader): void {
  diversions.get(socket)?.(reader)
}
