import { parentPort } from 'node:worker_threads'
import type { BlobQuestion } from './blob-messages.ts'
import { BlobService } from './blob-service.ts'

const service = new BlobService((news, moved) => parentPort?.postMessage(news, moved))

parentPort?.on('message', (question: BlobQuestion) => service.take(question))
