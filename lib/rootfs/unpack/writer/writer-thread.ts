import { parentPort } from 'node:worker_threads'
import type { WriterRequest } from './writer-messages.ts'
import { WriterService } from './writer-service.ts'

const service = new WriterService()
let turn = Promise.resolve()

parentPort?.on('message', (request: WriterRequest) => {
  turn = turn.then(async () => {
    parentPort?.postMessage(await service.answer(request))
  })
})
