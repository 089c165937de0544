import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RegistryFault } from './fault.ts'

/** Sends the body of an answer with the fault applied. */
export async function sendFaultyBody(
  response: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  fault: RegistryFault | undefined,
  count: (bytes: number) => void,
): Promise<void> {
  let sent = 0
  const limit = limitOf(fault)
  const write = async (bytes: Uint8Array) => {
    if (bytes.byteLength === 0 || response.destroyed) return
    sent += bytes.byteLength
    count(bytes.byteLength)
    if (!response.write(bytes)) await drained(response)
  }
  for await (const chunk of body) {
    const bytes = changed(chunk.subarray(0, limit - sent), sent, fault)
    if (fault?.kind === 'slow') await writeSlowly(bytes, fault.bytesPerSecond, write, () => response.destroyed)
    else await write(bytes)
    if (sent >= limit || response.destroyed) break
  }
  await finish(response, fault)
}

function limitOf(fault: RegistryFault | undefined): number {
  return fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.after : Number.POSITIVE_INFINITY
}

function changed(chunk: Uint8Array, at: number, fault: RegistryFault | undefined): Uint8Array {
  const inside = fault?.kind === 'flip' ? fault.at - at : -1
  if (inside < 0 || inside >= chunk.byteLength) return chunk
  const copy = Uint8Array.from(chunk)
  copy[inside]! ^= 0xff
  return copy
}

async function writeSlowly(
  bytes: Uint8Array,
  bytesPerSecond: number,
  write: (bytes: Uint8Array) => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 50))
  for (let at = 0; at < bytes.byteLength && !isOver(); at += step) {
    await write(bytes.subarray(at, at + step))
    await sleep((step / bytesPerSecond) * 1000)
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

async function finish(response: ServerResponse, fault: RegistryFault | undefined): Promise<void> {
  const { socket } = response
  if (fault?.kind === 'stall') response.flushHeaders()
  else if (fault?.kind !== 'cut') response.end()
  else {
    response.flushHeaders()
    // Waits until the socket has sent the written bytes; a reset would discard them.
    await new Promise<void>(resolve => (socket ? socket.write('', () => resolve()) : resolve()))
    if (fault.reset) socket?.resetAndDestroy()
    else socket?.end()
  }
}
