import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type FoundPackage, readPackages } from '../../../lib/trust/index.ts'
import { makeMachineBase } from '../../helpers/machine-base.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { program } from '../../helpers/program.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { everydayBench, needsEveryday } from './bench.ts'

/** Builds packages of rpm, which have no files. */
async function buildRpms(into: string, ...specs: Readonly<Record<string, string>>[]): Promise<void> {
  using place = temporaryDirectory('rpmbuild')
  for (const fields of specs) {
    const head = Object.entries(fields).map(([field, value]) => `${field}: ${value}`)
    const spec = join(place.path, `${fields.Name}.spec`)
    const rest = ['Summary: package of a test', 'License: MIT', 'BuildArch: noarch', '%description', 'None.', '%files']
    writeFileSync(spec, `${[...head, ...rest].join('\n')}\n`)
    const options = ['-bb', '--quiet', '--define', `_topdir ${place.path}`, '--define', `_rpmdir ${place.path}/made`]
    await program('rpmbuild', [...options, spec])
  }
  const made = join(place.path, 'made/noarch')
  mkdirSync(into, { recursive: true })
  for (const name of readdirSync(made)) writeFileSync(join(into, name), readFileSync(join(made, name)))
}

test.runIf([needsEveryday(), needsProgram('rpm'), needsProgram('rpmbuild')].every(Boolean))(
  'packages of an image with rpm are those that rpm -qa lists in it, each with its layer and its source',
  async () => {
    await using bench = await everydayBench()
    await makeMachineBase(bench.store, 'rocky:9', {
      programs: ['/usr/bin/rpm'],
      trees: { '/usr/lib/rpm': [] },
      files: { 'etc/os-release': 'ID=rocky\nVERSION_ID="9.4"\n', 'var/lib/rpm/': '' },
    })
    const rpms = join(bench.context, 'rpms')
    const release = { Release: '1.el9' }
    await buildRpms(
      join(rpms, '1'),
      { Name: 'gone', Version: '1', ...release },
      { Name: 'kept', Version: '1.0~rc1^git2', Epoch: '3', ...release },
      { Name: 'moved', Version: '1.0', ...release },
    )
    await buildRpms(join(rpms, '2'), { Name: 'moved', Version: '1.1', ...release })
    // The shell of busybox would run its own rpm.
    const rpm = '/usr/bin/rpm --dbpath /var/lib/rpm'
    const run = (command: string) => `RUN --mount=type=bind,source=rpms,target=/rpms ${command}\n`
    await bench.build(
      `FROM rocky:9\n${run(`${rpm} -i /rpms/1/*.rpm`)}${run(`${rpm} -U /rpms/2/*.rpm`)}${run(`${rpm} -e gone`)}`,
      'app:1',
    )
    const format = '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH}\\n'
    const listed = await bench.run('app:1', { command: [...rpm.split(' '), '-qa', '--qf', format] })
    const { packages, unread } = await readPackages(bench.store, 'app:1')
    const line = ({ name, version, architecture }: FoundPackage) => `${name} ${version} ${architecture}`
    expect(packages.map(line)).toEqual(listed.stdout.trim().split('\n').sort())
    expect(packages.map(each => [each.name, each.version, each.layer - packages[0]!.layer])).toEqual([
      ['kept', '3:1.0~rc1^git2-1.el9', 0],
      ['moved', '1.1-1.el9', 1],
    ])
    expect(unread).toEqual([])
  },
  120_000,
)
