// A parent and a worker of node:cluster: the parent closes the channel while the worker is busy, and the worker closes
// its server before it has noticed. Prints what the worker does, and its exit code.
import cluster from 'node:cluster'
import { createServer } from 'node:net'
import { pathToFileURL } from 'node:url'

const BUSY_MS = 500

if (cluster.isPrimary) {
  const worker = cluster.fork({ LAYERSTORE_SERVE_WORKER: '1' })
  worker.on('message', message => message === 'busy' && worker.process.disconnect())
  worker.once('exit', code => console.log(`exit ${code}`))
} else {
  const { workerProcess } = await import(pathToFileURL(process.argv[2]).href)
  const worker = await workerProcess(process.env)
  const server = createServer().listen(0, '127.0.0.1', () => {
    process.send('busy', () => {
      for (const until = Date.now() + BUSY_MS; Date.now() < until; );
      server.close()
      worker.stop.addEventListener('abort', () => console.log('finished'))
    })
  })
}
