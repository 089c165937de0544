// The benchmarks are plain JavaScript: Node 20 cannot run TypeScript, and they are run as they stand.
declare module '*.mjs'
