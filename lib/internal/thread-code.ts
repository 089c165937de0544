/** The code of a worker thread: a file, or the text of a CommonJS module that needs no other file. */
export type ThreadCode = { readonly file: URL } | { readonly text: string }

/**
 * Returns the code of the thread `x-thread` for its module `x-thread-code`: the file beside it, with the same
 * extension. In the package the build replaces each such module by one that holds the text of the thread, so that every
 * bundler includes it. Returns `undefined` if neither exists, in a bundle of these sources: the calling thread does the
 * work then.
 *
 * @param base - `import.meta.url` of the module.
 */
export function threadFile(base: string | undefined): ThreadCode | undefined {
  const file = base?.replace(/-code(\.[a-z]+)$/, '$1')
  return file === undefined || file === base ? undefined : { file: new URL(file) }
}

/** Options of `new Worker` that a thread may need. */
export interface ThreadOptions {
  readonly workerData?: unknown
  readonly resourceLimits?: { readonly maxYoungGenerationSizeMb: number }
}

/** The arguments of `new Worker` for a thread. */
export function threadArguments(
  code: ThreadCode,
  options: ThreadOptions = {},
): [string | URL, ThreadOptions & { eval?: boolean; execArgv: string[] }] {
  // Options of the process may be invalid for a worker (`--input-type`); only TypeScript needs those of its loader.
  if ('text' in code) return [code.text, { ...options, eval: true, execArgv: [] }]
  return [code.file, { ...options, execArgv: code.file.pathname.endsWith('.ts') ? process.execArgv : [] }]
}
