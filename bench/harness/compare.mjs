import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { alternate } from './measure/alternate.mjs'
import { withScratch } from './measure/scratch.mjs'
import { summarize } from './measure/statistics.mjs'
import { runMicro } from './run-micro.mjs'

const root = resolve(import.meta.dirname, '../..')

/** Builds another commit in a git worktree below `directory`, runs `act` with its library, and removes the worktree. */
export async function withLibraryOf(ref, directory, act) {
  const tree = join(directory, 'worktree')
  const run = (program, ...args) => execFileSync(program, args, { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('git', ['worktree', 'add', '--force', '--detach', tree, ref], { cwd: root, stdio: 'pipe' })
  try {
    if (sameLock(tree)) symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
    else run('npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts')
    // Older commits have no build script and are built by the compiler alone.
    if (existsSync(join(tree, '.build.mjs'))) run(process.execPath, '.build.mjs')
    else run(process.execPath, join(tree, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json')
    return await act(join(tree, 'dist'))
  } finally {
    execFileSync('git', ['worktree', 'remove', '--force', tree], { cwd: root, stdio: 'pipe' })
  }
}

function sameLock(tree) {
  const [here, there] = [root, tree].map(folder => join(folder, 'package-lock.json'))
  return existsSync(there) && readFileSync(here, 'utf8') === readFileSync(there, 'utf8')
}

/**
 * Copies a build beside its packages, so that a rebuild cannot change it during the measurement.
 *
 * PERF: without a package.json that says `module`, Node parses each file twice to find out: 25 ms for each process.
 */
export function frozenCopy(library, directory) {
  const copy = join(directory, 'here', 'dist')
  cpSync(library, copy, { recursive: true })
  for (const beside of ['node_modules', 'package.json']) {
    symlinkSync(join(root, beside), join(directory, 'here', beside))
  }
  return copy
}

/** A micro benchmark with several builds, alternating fresh processes; each contender appears once for each build. */
export async function compareMicro(file, { libraries, smoke, scratch }) {
  const names = Object.keys(libraries)
  const run = name => withScratch(fresh => runMicro(file, { library: libraries[name], smoke, scratch: fresh }), scratch)
  const rounds = await alternate(names, smoke ? 1 : 3, run)
  const [first] = rounds[0]
  const cases = first.cases.map((one, c) => ({
    ...one,
    contenders: one.contenders.flatMap((contender, i) =>
      names.map((name, n) =>
        mergeRounds(
          `${contender.label} @ ${name}`,
          rounds[n].map(result => result.cases[c].contenders[i]),
        ),
      ),
    ),
  }))
  return { ...first, cases }
}

function mergeRounds(label, contenders) {
  const { own, skipped } = contenders[0]
  if (skipped) return { label, own, skipped }
  const medians = ({ summary }) =>
    Object.fromEntries(Object.entries(summary).map(([figure, { median }]) => [figure, median]))
  const samples = contenders.map(medians)
  return { label, own, summary: summarize(samples), samples }
}
