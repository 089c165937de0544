import { type Image, readImage } from '../../../image/index.ts'
import {
  adviseSplit,
  analyzeImage,
  checkRules,
  diveReport,
  htmlReport,
  type ImageAnalysis,
  measureDedup,
  type ReportSource,
  type SplitAdvice,
} from '../../../inspect/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { adviceLines } from '../../inspecting/advice-lines.ts'
import { analysisLines, ruleLines } from '../../inspecting/analysis-lines.ts'
import { type RuleOptions, readRules } from '../../inspecting/analysis-rules.ts'
import type { ImageBlobs } from '../../reading/image-blobs.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import { writeResult } from '../../results/write-result.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `analyze`. */
export interface AnalyzeOptions extends PlatformOption, RuleOptions {
  readonly base?: string
  readonly top?: string
  readonly diveJson?: string
  readonly html?: string
  readonly dedup?: boolean
  /** `false` with `--no-secrets`. */
  readonly secrets?: boolean
}

/**
 * `analyze NAME [OLDER…]`: measures what an image wastes and finds what it should not hold; exits with 1 if a rule
 * fails. With older releases, newest first, it advises how to split the image into layers.
 */
export async function analyze(
  session: Session,
  name: string,
  older: readonly string[],
  options: AnalyzeOptions,
): Promise<void> {
  const most = parseAmount('--top', options.top ?? '10', 'count')
  refuseContradictions(session, options)
  const rules = await readRules(options)
  const { signal, hasher } = session
  const { blobs, image } = await locateImage(session, name, options)
  if (options.diveJson !== undefined) {
    const report = await diveReport(blobs, image, { signal, hasher })
    await writeReport(session, '--dive-json', options.diveJson, `${JSON.stringify(report, null, 2)}\n`)
  }
  const releases = [{ name, store: blobs, image }]
  for (const one of options.diveJson === '-' ? [] : older) {
    const release = await locateImage(session, one, options)
    releases.unshift({ name: one, store: release.blobs, image: release.image })
  }
  const split = releases.length > 1 ? await adviseSplit(releases, { signal, hasher }) : undefined
  const found = await analyzeReleases(session, releases, split, options)
  const results = checkRules(found, rules)
  if (results.some(({ passed }) => !passed)) session.exit = 1
  if (options.diveJson === '-' || options.html === '-') return
  const verdict = results.length > 0 ? ['', 'Rules', ...ruleLines(results).map(line => `  ${line}`)] : []
  const lines = [...analysisLines(name, found, most), ...(split ? adviceLines(split, most) : []), ...verdict]
  session.result(lines, { name, ...found, rules: results, ...(split ? { split } : {}) })
}

/** Analyses the newest release. With `--html` its page is written too: the analysis of the page is the one. */
async function analyzeReleases(
  session: Session,
  releases: readonly ReportSource[],
  split: SplitAdvice | undefined,
  options: AnalyzeOptions,
): Promise<ImageAnalysis> {
  const { signal, hasher } = session
  const { store, image } = releases.at(-1)!
  const base = options.base === undefined ? undefined : (await locateImage(session, options.base, options)).image
  const analysing = { base, secrets: options.secrets !== false, signal, hasher }
  if (options.html === undefined) return analyzeImage(store, image, analysing)
  const dedup = options.dedup ? await measureDedup(releases, { signal, hasher }) : undefined
  let found: ImageAnalysis | undefined
  const onAnalysis = (analysis: ImageAnalysis) => {
    found = analysis
  }
  const page = await htmlReport(releases, { ...analysing, most: 100, onAnalysis, dedup, split })
  await writeReport(session, '--html', options.html, page)
  return found!
}

function refuseContradictions(session: Session, options: AnalyzeOptions): void {
  if (options.html !== undefined) notEmpty(options.html, 'the file of --html')
  if (options.diveJson !== undefined) notEmpty(options.diveJson, 'the file of --dive-json')
  const documents = [session.json ? '--json' : '', options.diveJson === '-' ? '--dive-json -' : '']
  const [first, second] = [...documents, options.html === '-' ? '--html -' : ''].filter(option => option !== '')
  if (first !== undefined && second !== undefined) throw new UsageError(`${second} and ${first} both print a document`)
  if (options.dedup && options.html === undefined)
    throw new UsageError('--dedup needs --html; the command dedup prints the same figures')
  if (options.failOnSecrets && options.secrets === false)
    throw new UsageError('--fail-on-secrets needs a search for secrets')
}

/** Writes a report to a file, or to stdout. */
async function writeReport(session: Session, option: string, path: string, text: string): Promise<void> {
  if (path === '-') return session.raw(Buffer.from(text))
  await writeResult(option, path, text)
}

/** Opens an image whose files a command reads. */
export async function locateImage(
  session: Session,
  name: string,
  options: PlatformOption,
): Promise<{ blobs: ImageBlobs; image: Image }> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal } = session
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const image = await readImage(blobs, found, { platform, signal })
  if (!isRemote) await refuseMissingLayers(blobs, image, signal)
  return { blobs, image }
}
