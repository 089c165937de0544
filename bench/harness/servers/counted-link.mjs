import { connect, createServer } from 'node:net'

/**
 * Runs an act behind a loopback proxy that counts the bytes of both directions. The act gets the `host:port` to use in
 * place of the target, and a function that returns the count.
 */
export async function withCountedLink(target, act) {
  const [host, port] = target.split(':')
  const sockets = new Set()
  let bytes = 0
  const server = createServer(near => {
    const far = connect(Number(port), host)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('data', chunk => {
        bytes += chunk.length
      })
      from.once('error', () => to.destroy()).once('close', () => sockets.delete(from))
      from.pipe(to)
    }
  })
  await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  try {
    return await act(`127.0.0.1:${server.address().port}`, () => bytes)
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise(done => server.close(done))
  }
}
