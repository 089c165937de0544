import { expect, test } from 'vitest'
import { runGit, writeGitHome } from '../../lib/build/git/run-git.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test.runIf(needsProgram('git') && needsProgram('ssh'))('ssh gives up a host that does not answer', async () => {
  using home = temporaryDirectory('git-ssh')
  await writeGitHome(home.path)
  // What ssh itself understands of the command that git starts.
  const { output } = await runGit(['-c', 'alias.x=!$GIT_SSH_COMMAND -G host', 'x'], { home: home.path })
  const lines = output.split('\n')
  expect(lines).toEqual(expect.arrayContaining(['batchmode yes', 'connecttimeout 30', 'serveraliveinterval 20']))
})
