import { workerData } from 'node:worker_threads'
import { type LookAheadStart, lookAhead } from './look-ahead.ts'

lookAhead(workerData as LookAheadStart)
