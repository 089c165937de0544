import { UsageError } from '../failing/usage-error.ts'

/** Value of `--call`: what `build` does with the Dockerfile, and how it prints the result. */
export interface BuildCall {
  readonly method: 'build' | 'check' | 'outline' | 'targets'
  /** Print the result as JSON. */
  readonly json: boolean
}

const METHODS: Readonly<Record<string, BuildCall['method']>> = {
  build: 'build',
  check: 'check',
  lint: 'check',
  outline: 'outline',
  targets: 'targets',
}

/**
 * Reads `--call METHOD[,format=json|text]`; `--check` is `--call=check`, and comes first, as in docker.
 *
 * @throws {@link UsageError} for a method or a format that does not exist here.
 */
export function callOf({ call = 'build', check = false }: { call?: string; check?: boolean }): BuildCall {
  const [name = '', ...fields] = call.split(',')
  const method = Object.hasOwn(METHODS, name) ? METHODS[name]! : undefined
  if (!method) throw new UsageError(`--call takes build, check, outline or targets, not ${JSON.stringify(name)}`)
  const formats = fields.map(field => /^format=(json|text)$/.exec(field)?.[1])
  const wrong = formats.indexOf(undefined)
  if (wrong >= 0) {
    throw new UsageError(
      `--call takes format=json or format=text after its method, not ${JSON.stringify(fields[wrong])}`,
    )
  }
  return { method: check ? 'check' : method, json: formats.at(-1) === 'json' }
}
