import { parentPort, workerData } from 'node:worker_threads'
import { DirectoryScan } from './directory-scan.ts'
import { emptyBatch, type ScanStart, type SourceBatch, scanBatch } from './scan-batch.ts'
import { encodeSteps } from './step-columns.ts'
import { loadXattrLister } from './xattrs.ts'

/**
 * Answers each message with one batch; the message may return memory for it. So the caller decides how far the scan
 * runs ahead.
 */
const { options, xattrs, state } = workerData as ScanStart
const ready = openScan()

async function openScan(): Promise<DirectoryScan> {
  return new DirectoryScan(options, { state, xattrs: xattrs === undefined ? undefined : await loadXattrLister(xattrs) })
}

parentPort?.on('message', async (spare: ArrayBuffer | undefined) => {
  const scan = await ready
  const { steps, bytes, filled, done, fault } = scanBatch(scan, spare ? new Uint8Array(spare) : emptyBatch())
  const sent = filled > 0 ? bytes.buffer : undefined
  const columns = encodeSteps(steps)
  const batch: SourceBatch = { steps: columns, bytes: sent, done, fault }
  parentPort?.postMessage(batch, [columns.numbers.buffer, ...(sent ? [sent] : [])])
})
