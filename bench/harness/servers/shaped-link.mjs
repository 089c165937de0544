import { connect, createServer } from 'node:net'

const TICK_MS = 4

/**
 * Runs an act behind a link of limited speed: a loopback proxy that passes `bytesPerSecond` in each direction, shared
 * fairly by all connections; with `each`, every connection gets that much. The act gets the `host:port` to use in place
 * of the target.
 */
export async function withShapedLink(target, bytesPerSecond, act, { each = false } = {}) {
  const createDirections = () => [createBucket(bytesPerSecond), createBucket(bytesPerSecond)]
  const shared = createDirections()
  const sockets = new Set()
  const [host, port] = target.split(':')
  const server = createServer(near => {
    const far = connect(Number(port), host)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.once('close', () => sockets.delete(socket))
      socket.once('error', () => [near, far].forEach(end => void end.destroy()))
    }
    const [there, back] = each ? createDirections() : shared
    void forward(near, far, there)
    void forward(far, near, back)
  })
  await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  try {
    return await act(`127.0.0.1:${server.address().port}`)
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise(done => server.close(done))
  }
}

async function forward(from, to, bucket) {
  try {
    for await (const chunk of from) {
      await bucket.take(chunk.length)
      if (!to.write(chunk)) await drained(to)
    }
    to.end()
  } catch {
    to.destroy()
  }
}

/** Resolves when a socket takes more, or never will. */
function drained(socket) {
  return new Promise(done => {
    const settle = () => {
      socket.off('drain', settle).off('close', settle)
      done()
    }
    socket.on('drain', settle).on('close', settle)
  })
}

/** Tokens flow in by the clock, so that a late timer costs nothing; what was not used is lost after 20 ms. */
function createBucket(bytesPerSecond) {
  const waiting = []
  let tokens = 0
  let last = performance.now()
  let timer
  const serve = () => {
    const now = performance.now()
    tokens = Math.min(tokens + ((now - last) / 1000) * bytesPerSecond, bytesPerSecond / 50)
    last = now
    while (waiting.length > 0 && tokens > 0) {
      const { bytes, done } = waiting.shift()
      tokens -= bytes
      done()
    }
    if (waiting.length > 0) timer ??= setInterval(serve, TICK_MS)
    else {
      clearInterval(timer)
      timer = undefined
    }
  }
  const take = bytes =>
    new Promise(done => {
      waiting.push({ bytes, done })
      serve()
    })
  return { take }
}
