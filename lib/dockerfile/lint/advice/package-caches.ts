import type { RunStep } from '../../data/step.ts'
import type { EvaluatedStage } from '../../evaluate/evaluate-stage.ts'
import type { RawFinding } from '../rule.ts'
import { ownFinding } from './advice.ts'
import { commandText } from './command-text.ts'

/**
 * A package manager that leaves something behind.
 *
 * SAFETY: every repetition in the patterns is bounded, see {@link dependenciesAfterSources}.
 */
interface Manager {
  readonly name: string
  readonly installs: RegExp
  /** Pattern of a command in the same RUN that removes or avoids it. */
  readonly cleans: RegExp
  /** Directories of which one as a cache mount keeps it out of the layer. */
  readonly caches: RegExp
  /** Variables that turn the cache off. */
  readonly variables: RegExp
  readonly hint: string
}

const NEVER = /(?!)/
const MANAGERS: readonly Manager[] = [
  {
    name: 'apt',
    installs: /\bapt(?:-get)? (?:-o \S+ |-\S+ ){0,9}install\b/,
    cleans: /\brm (?:-\S+ ){1,9}.{0,500}\/var\/lib\/apt\/lists/,
    caches: /^\/var\/(?:lib|cache)\/apt\b/,
    variables: NEVER,
    hint: 'end the RUN with && rm -rf /var/lib/apt/lists/*, or mount a cache there',
  },
  {
    name: 'apk',
    installs: /\bapk (?:-\S+ ){0,9}add\b/,
    cleans: /--no-cache\b|\brm (?:-\S+ ){1,9}.{0,500}\/var\/cache\/apk/,
    caches: /^\/(?:var\/cache|etc)\/apk\b/,
    variables: NEVER,
    hint: 'use apk add --no-cache',
  },
  {
    name: 'dnf',
    installs: /\b(?:yum|dnf|microdnf) (?:-\S+ ){0,9}install\b/,
    cleans: /\b(?:yum|dnf|microdnf) clean all\b|\brm (?:-\S+ ){1,9}.{0,500}\/var\/cache\/(?:yum|dnf)/,
    caches: /^\/var\/cache\/(?:yum|dnf|libdnf5?)\b/,
    variables: NEVER,
    hint: 'end the RUN with && dnf clean all, or mount a cache at /var/cache/dnf',
  },
  {
    name: 'pip',
    installs: /\bpip3? (?:-\S+ ){0,9}install\b/,
    cleans: /--no-cache-dir\b|\bpip3? cache purge\b|\brm (?:-\S+ ){1,9}.{0,500}\.cache/,
    caches: /\/\.cache(?:\/pip)?\/?$/,
    variables: /^(?:PIP_NO_CACHE_DIR|PIP_CACHE_DIR)=./,
    hint: 'use pip install --no-cache-dir, or mount a cache at /root/.cache/pip',
  },
  {
    name: 'npm',
    installs: /\bnpm (?:ci|install|i)\b/,
    cleans: /\bnpm cache clean\b|\brm (?:-\S+ ){1,9}.{0,500}\.npm\b/,
    caches: /\/\.npm\/?$/,
    variables: /^npm_config_cache=./i,
    hint: 'end the RUN with && npm cache clean --force, or mount a cache at /root/.npm',
  },
]

/** Package managers whose caches stay in a layer of the image. */
export function packageCaches({ evaluated }: EvaluatedStage): RawFinding[] {
  return evaluated.flatMap(({ instruction, step }) => {
    if (step?.kind !== 'run') return []
    const text = commandText(step)
    return MANAGERS.filter(manager => leaves(manager, text, step)).map(({ name, hint }) =>
      ownFinding('PackageCacheInLayer', 'advice', instruction, `the package cache of ${name} stays in the layer`, hint),
    )
  })
}

function leaves({ installs, cleans, caches, variables }: Manager, text: string, step: RunStep): boolean {
  if (!installs.test(text) || cleans.test(text)) return false
  if (step.mounts.some(mount => mount.type === 'cache' && caches.test(mount.target))) return false
  return !step.environment.some(variable => variables.test(variable))
}
