// Runs the cases of one micro benchmark with tinybench in this process; prints them as JSON.
import { Bench } from 'tinybench'

const KEPT_SAMPLES = 200

const { file, library, smoke, scratch } = JSON.parse(process.argv[2])
const { bench } = await import(file)
const cases = []
for (const { after, ...one } of await bench.cases({ library, smoke, scratch })) {
  cases.push(await measure(one))
  await after?.()
}
process.stdout.write(JSON.stringify({ name: bench.name, question: bench.question, cases }))

async function measure({ name, bytes, tasks }) {
  const limits = smoke
    ? { time: 0, iterations: 1, warmup: false }
    : { time: 150, iterations: 5, warmupTime: 40, warmupIterations: 1 }
  const runner = new Bench({ ...limits, retainSamples: true, throws: true })
  for (const { label, run, skipped } of tasks) if (!skipped) runner.add(label, run, { async: true })
  await runner.run()
  const contenders = []
  for (const { label, own = true, run, skipped } of tasks) {
    if (skipped) contenders.push({ label, own, skipped })
    else {
      const { latency } = runner.getTask(label).result
      contenders.push({ label, own, ...contenderOf(latency, bytes, await processorTime(run)) })
    }
  }
  const columns = ['microseconds', 'cpuMicroseconds', ...(bytes ? ['speed'] : [])]
  return { name, bytes, columns, plot: bytes ? 'speed' : 'microseconds', contenders }
}

/** Processor time of a run, over all threads, in seconds. Unlike wall time it hardly depends on other processes. */
async function processorTime(run) {
  const before = process.cpuUsage()
  const end = performance.now() + (smoke ? 0 : 150)
  let runs = 0
  do {
    await run()
    runs++
  } while (performance.now() < end)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6 / runs
}

function contenderOf({ p50, mad, samplesCount, samples }, bytes, cpuSeconds) {
  const seconds = p50 / 1000
  const figures = {
    seconds: { median: seconds, mad: mad / 1000, n: samplesCount },
    cpuSeconds: { median: cpuSeconds, mad: 0, n: 1 },
  }
  if (bytes) figures.bytesPerSecond = { median: bytes / seconds, mad: (bytes / seconds) * (mad / p50), n: samplesCount }
  const step = Math.ceil(samples.length / KEPT_SAMPLES)
  // tinybench sorts the samples: every n-th one represents the ones around it.
  return { summary: figures, samples: samples.filter((_, i) => i % step === 0).map(ms => ({ seconds: ms / 1000 })) }
}
