// Runs record.ts, which says what it is for.
import { register } from 'node:module'

register('../../helpers/typescript-loader.mjs', import.meta.url)
await import('./record.ts')
