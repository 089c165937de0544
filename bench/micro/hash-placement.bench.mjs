import { Worker } from 'node:worker_threads'

const PIECE = Buffer.alloc(2 ** 19, 'something to be hashed ')

export const bench = {
  name: 'micro-hash-placement',
  question: 'From which size on is a worker thread faster for a stream, and what do several streams cost?',
  async cases({ library, smoke }) {
    const { createStreamDigester, setHashWorkers } = await import(`${library}/index.js`)
    const digest = async bytes => {
      const digester = await createStreamDigester()
      for (let at = 0; at < bytes; at += PIECE.length) await digester.update(PIECE)
      return digester.digest()
    }
    const sizes = smoke ? [2 ** 22] : [2 ** 20, 2 ** 21, 2 ** 22, 2 ** 23, 2 ** 24, 2 ** 25]
    const task = (label, workers, run) => ({
      label,
      run: () => {
        setHashWorkers(workers)
        return run()
      },
    })
    const counts = [0, 1, 2, 4]
    const inMiB = bytes => `${bytes / 2 ** 20} MiB`
    return [
      ...sizes.map(bytes => ({
        name: `one stream of ${inMiB(bytes)}`,
        bytes,
        tasks: counts.slice(0, 2).map(workers => task(`workers: ${workers}`, workers, () => digest(bytes))),
      })),
      ...[2, 4].map(streams => ({
        name: `${streams} streams of ${inMiB(sizes.at(-1))}`,
        bytes: streams * sizes.at(-1),
        tasks: counts.map(workers =>
          task(`workers: ${workers}`, workers, () =>
            Promise.all(Array.from({ length: streams }, () => digest(sizes.at(-1)))),
          ),
        ),
      })),
      {
        name: 'starting and ending an empty thread',
        tasks: [{ label: 'new Worker', own: false, run: startAndEnd }],
        after: () => setHashWorkers(0),
      },
    ]
  },
}

async function startAndEnd() {
  const thread = new Worker('', { eval: true })
  await new Promise(done => thread.once('exit', done))
}
