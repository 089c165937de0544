import type { DescribedImage } from './describe-image.ts'

/** A deliberate difference to the Docker Engine; `build/rationale.md` has the reasons. */
export interface CorpusDifference {
  /** Number in `build/rationale.md`. */
  readonly reason: 'D1' | 'D2' | 'D3' | 'D4' | 'D5'
  /** What this library makes instead: an error, or the members that differ. */
  readonly ours: { readonly error: true } | Partial<DescribedImage>
}

const error = { error: true } as const
const times = (all: string, retries: number) => {
  const [interval, timeout, start, startInterval] = all.split(' ')
  return `Interval:${interval} Timeout:${timeout} StartPeriod:${start} StartInterval:${startInterval} Retries:${retries}`
}
const zero = times('0s 0s 0s 0s', 0)
const healthchecks = 'HEALTHCHECK --interval=90s --timeout=2s --start-period=1m --start-interval=5s --retries=2'

/** Differences by the name of the build. */
export const differences: Readonly<Record<string, CorpusDifference>> = {
  'silently wrong 1: COPY a.txt b.txt /new': { reason: 'D1', ours: error },
  'silently wrong 2: COPY *.txt /new': { reason: 'D1', ours: error },
  'silently wrong 3: COPY --chown=nobody-knows a.txt /n/': { reason: 'D2', ours: error },
  'silently wrong 4: COPY --chown=app:no-group a.txt /n/': { reason: 'D2', ours: error },
  'silently wrong 5: COPY --exclude=a.txt a.txt b.txt /o/': {
    reason: 'D3',
    ours: { files: ['o directory 755 0:0', 'o/b.txt file 644 0:0 df7e70e50215'] },
  },
  'silently wrong 6: COPY --exclude=b.txt *.txt /o/': {
    reason: 'D3',
    ours: { files: ['o directory 755 0:0', 'o/a.txt file 644 0:0 559aead08264'] },
  },
  'independent layers 3: COPY --link a.txt /lib/x': {
    reason: 'D4',
    ours: { files: ['lib directory 755 0:0', 'lib/x file 644 0:0 559aead08264'] },
  },
  'independent layers 7: COPY --link a.txt /etc/os/x': {
    reason: 'D4',
    ours: {
      base: 'python:3.12-slim',
      files: ['etc/os directory 755 0:0', 'etc/os/x file 644 0:0 559aead08264'],
      layers: 1,
      platform: 'linux/amd64',
      config: {
        Cmd: ['python3'],
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'LANG=C.UTF-8', 'PYTHON_VERSION=3.12.1'],
      },
      history: ['+ COPY a.txt /etc/os/x # buildkit'],
    },
  },
  'configs 34: HEALTHCHECK CMD curl -f localhost': {
    reason: 'D5',
    ours: { history: [`- HEALTHCHECK {Test:[CMD-SHELL curl -f localhost] ${zero}}`] },
  },
  [`configs 35: ${healthchecks} CMD ["x", "y"]`]: {
    reason: 'D5',
    ours: { history: [`- HEALTHCHECK {Test:[CMD x y] ${times('1m30s 2s 1m0s 5s', 2)}}`] },
  },
  'configs 36: HEALTHCHECK NONE': { reason: 'D5', ours: { history: [`- HEALTHCHECK {Test:[NONE] ${zero}}`] } },
}
