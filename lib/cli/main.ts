#!/usr/bin/env node
import { enableCompileCache } from './compile-cache.ts'

// PERF: before the rest is loaded, so that its compiled code comes from the cache.
enableCompileCache(process.env)
const { main } = await import('./main-terminal.ts')
main()
