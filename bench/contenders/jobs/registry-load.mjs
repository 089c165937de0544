// Puts a registry under load; the figures are those of its process.
import { runLoad } from '../../harness/load/run-load.mjs'
import { watchServer } from '../../harness/measure/watch-server.mjs'
import { report } from './report.mjs'

await report(async ({ host, pid, directory, size }, timed) => {
  const server = watchServer(pid, directory)
  const { examples, ...figures } = await timed(() => runLoad(host, size, server))
  return { outcome: { examples }, ...figures, ...server.figures() }
})
