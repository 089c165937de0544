import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { FileCopyInput } from '../../../lib/build/copy/file-copy.ts'
import { type KeyPart, keyOf } from '../../../lib/build/keys/key-part.ts'
import {
  copyParts,
  fileNameOf,
  inputsPart,
  namesAccounts,
  runParts,
  type StepPlace,
  sourceParts,
  workdirParts,
} from '../../../lib/build/keys/step-parts.ts'
import type { Digest } from '../../../lib/digest/index.ts'
import type { CopyStep, FetchStep, RunMount, RunStep, WorkdirStep } from '../../../lib/dockerfile/index.ts'

const chain = (letter: string) => `sha256:${letter.repeat(64)}` as Digest
const place: StepPlace = { parent: chain('a'), platform: 'linux/amd64', policies: {} }

const copy: CopyStep = {
  kind: 'copy',
  text: 'COPY src /dst # buildkit',
  title: 'COPY src /dst',
  from: { context: '' },
  sources: ['src'],
  files: [],
  remotes: [],
  destination: '/dst',
}
const run: RunStep = {
  kind: 'run',
  text: 'RUN x',
  title: 'RUN x',
  command: { shell: ['/bin/sh', '-c'], text: 'npm ci' },
  mounts: [],
  network: 'default',
  environment: ['PATH=/bin', 'A=1'],
  user: '',
  workdir: '/',
}
const shell = { shell: ['/bin/sh', '-c'], text: 'npm ci' }
const workdir: WorkdirStep = { kind: 'workdir', text: 'WORKDIR /app', title: 'WORKDIR app', path: '/app', user: '' }

/** Names of the changes that give another key. */
async function keyed<T>(parts: (step: T, at: StepPlace) => KeyPart[], step: T, changes: Record<string, Partial<T>>) {
  const before = await keyOf(parts(step, place))
  const different: string[] = []
  for (const [name, change] of Object.entries(changes)) {
    if ((await keyOf(parts({ ...step, ...change }, place))) !== before) different.push(name)
  }
  return different
}

describe('the inputs of a key', () => {
  test('of a copy: destination, owner, mode and the way of copying, but not where the files come from', async () => {
    const changes: Record<string, Partial<CopyStep>> = {
      destination: { destination: '/dst/' },
      chown: { chown: '1:1' },
      chmod: { chmod: '755' },
      link: { link: true },
      parents: { parents: true },
      unpack: { unpack: true },
      latestTime: { latestTime: 5 },
      from: { from: { stage: 3 } },
      sources: { sources: ['elsewhere/src'] },
      exclude: { exclude: ['*.md'] },
      text: { text: 'copy  src /dst # buildkit' },
      title: { title: 'copy src dst' },
      position: { position: { line: 9, column: 1, endLine: 9 } },
      noCache: { noCache: true },
      squash: { squash: 'one' },
    }
    expect(await keyed(copyParts, copy, changes)).toEqual([
      'destination',
      'chown',
      'chmod',
      'link',
      'parents',
      'unpack',
      'latestTime',
    ])
  })

  test('of the definition of a copy from a stage: also the tree, the sources, exclusions and files of the step', async () => {
    const parts = (step: CopyStep) => sourceParts(step, chain('b'))
    const changes: Record<string, Partial<CopyStep>> = {
      sources: { sources: ['other'] },
      'more sources': { sources: ['src', 'src'] },
      exclude: { exclude: ['*.md'] },
      files: { files: [{ name: 'a', content: 'x' }] },
      title: { title: 'other' },
    }
    expect(await keyed(parts, copy, changes)).toEqual(['sources', 'more sources', 'exclude', 'files'])
    expect(await keyOf(sourceParts(copy, chain('b')))).not.toBe(await keyOf(sourceParts(copy, chain('c'))))
  })

  test('of a command: its text byte for byte, every variable, user, directory, network, and mounts that it sees', async () => {
    const bind: RunMount = { type: 'bind', target: '/m', from: { context: '' }, source: '/', readOnly: true }
    const changes: Record<string, Partial<RunStep>> = {
      command: { command: { shell: ['/bin/sh', '-c'], text: 'npm  ci' } },
      'shell words that join to the same text': { command: { shell: ['/bin/sh', '-c npm'], text: 'ci' } },
      'exec form': { command: { args: ['/bin/sh', '-c', 'npm ci'] } },
      script: { command: { ...shell, script: { path: '/dev/pipes/EOF', content: '#!/bin/x' } } },
      variable: { environment: ['PATH=/bin', 'A=2'] },
      'unused variable': { environment: [...run.environment, 'B='] },
      'variable without value': { environment: [...run.environment, 'B'] },
      user: { user: 'node' },
      workdir: { workdir: '/app' },
      network: { network: 'none' },
      mount: { mounts: [bind] },
      text: { text: 'RUN other' },
      title: { title: 'RUN other' },
    }
    expect(await keyed(runParts, run, changes)).toEqual(Object.keys(changes).slice(0, -2))
  })

  test('of mounts: neither names and sharing of caches, nor names of secrets, nor agents', async () => {
    const cache: RunMount = {
      type: 'cache',
      target: '/c',
      id: 'one',
      sharing: 'shared',
      source: '/',
      readOnly: false,
      uid: 0,
      gid: 0,
      mode: 0o755,
    }
    const secret: RunMount = { type: 'secret', id: 'npm', target: '/s', required: true, uid: 0, gid: 0, mode: 0o400 }
    const of = (mount: RunMount) => ({ ...run, mounts: [mount] })
    const key = (mount: RunMount) => keyOf(runParts(of(mount), place))
    expect(await key({ ...cache, id: 'two', sharing: 'locked', mode: 0o700 })).toBe(await key(cache))
    expect(await key({ ...cache, target: '/d' })).not.toBe(await key(cache))
    expect(await key({ ...secret, id: 'other', required: false })).toBe(await key(secret))
    expect(await key({ ...secret, env: 'TOKEN' })).not.toBe(await key(secret))
    expect(await key({ ...secret, mode: 0o444 })).not.toBe(await key(secret))
    const tmpfs = { type: 'tmpfs', target: '/t' } as const
    expect(await key({ ...tmpfs, size: 5 })).not.toBe(await key(tmpfs))
  })

  test('of a working directory: path and user', async () => {
    const changes = { path: { path: '/b' }, user: { user: 'node' }, text: { text: 'x' }, title: { title: 'y' } }
    expect(await keyed(workdirParts, workdir, changes)).toEqual(['path', 'user'])
  })

  test('of a download: names of the files and whether they are unpacked, but not the address', async () => {
    const fetch: FetchStep = {
      kind: 'fetch',
      text: '',
      title: '',
      destination: '/',
      remotes: [{ url: 'https://a/x/f.tar' }],
    }
    const changes: Record<string, Partial<FetchStep>> = {
      address: { remotes: [{ url: 'https://b/y/f.tar?token=1' }] },
      name: { remotes: [{ url: 'https://a/x/g.tar' }] },
      unpack: { remotes: [{ url: 'https://a/x/f.tar', unpack: true }] },
      checksum: { remotes: [{ url: 'https://a/x/f.tar', checksum: chain('f') }] },
      git: { remotes: [{ git: 'https://a/x/f.tar' }] },
    }
    expect(await keyed(copyParts, fetch, changes)).toEqual(['name', 'unpack', 'git'])
  })

  test('of a git repository: what is taken of it, but neither address nor name of the commit', async () => {
    const fetch: FetchStep = {
      kind: 'fetch',
      text: '',
      title: '',
      destination: '/',
      remotes: [{ git: 'https://a/x.git' }],
    }
    const changes: Record<string, Partial<FetchStep>> = {
      address: { remotes: [{ git: 'https://b/y.git' }] },
      ref: { remotes: [{ git: 'https://a/x.git', ref: 'v1' }] },
      checksum: { remotes: [{ git: 'https://a/x.git', checksum: 'abcd' }] },
      directory: { remotes: [{ git: 'https://a/x.git', subdirectory: 'docs' }] },
      keep: { remotes: [{ git: 'https://a/x.git', keepGitDirectory: true }] },
      submodules: { remotes: [{ git: 'https://a/x.git', submodules: false }] },
    }
    expect(await keyed(copyParts, fetch, changes)).toEqual(['directory', 'keep', 'submodules'])
  })

  test('of every step: the layers below, the platform, and the policies of the build', async () => {
    const all = [
      (at: StepPlace) => copyParts(copy, at),
      (at: StepPlace) => runParts(run, at),
      (at: StepPlace) => workdirParts(workdir, at),
    ]
    for (const parts of all) {
      const before = await keyOf(parts(place))
      expect(await keyOf(parts({ ...place, parent: chain('b') }))).not.toBe(before)
      expect(await keyOf(parts({ ...place, parent: 'scratch' }))).not.toBe(before)
      expect(await keyOf(parts({ ...place, platform: 'linux/arm64' }))).not.toBe(before)
      expect(await keyOf(parts({ ...place, policies: { times: 'source' } }))).not.toBe(before)
    }
    const omitting = { ...place, policies: { unchanged: 'omit' } } as const
    expect(await keyOf(runParts(run, omitting))).not.toBe(await keyOf(runParts(run, place)))
    expect(await keyOf(copyParts(copy, omitting))).toBe(await keyOf(copyParts(copy, place)))
    const modes = { ...place, policies: { modes: 'normal', owners: 'root' } } as const
    expect(await keyOf(copyParts(copy, modes))).not.toBe(await keyOf(copyParts(copy, place)))
  })

  test('a copy that stands alone does not depend on the layers below, unless names are looked up in them', async () => {
    const other = { ...place, parent: chain('b') }
    const same = async (step: CopyStep) =>
      (await keyOf(copyParts(step, place))) === (await keyOf(copyParts(step, other)))
    expect(await same({ ...copy, link: true })).toBe(true)
    expect(await same({ ...copy, link: true, chown: '1000:1000' })).toBe(true)
    expect(await same({ ...copy, link: true, chown: 'node' })).toBe(false)
    expect(['0', '1:2', ':5', 'node', '1:node', ''].map(namesAccounts)).toEqual([
      false,
      false,
      false,
      true,
      true,
      false,
    ])
  })
})

describe('the files in a key', () => {
  const file: FileCopyInput = { name: '0/a', source: 'src/a', type: 'file', mode: 0o644, digest: chain('1') }

  test('name, type, mode, link, content, owner and attributes of each; not where it was', async () => {
    const before = (await inputsPart([file])).value
    const changes: Record<string, Partial<FileCopyInput>> = {
      name: { name: '0/b' },
      type: { type: 'directory' },
      mode: { mode: 0o755 },
      linkname: { linkname: 'x' },
      digest: { digest: chain('2') },
      owner: { owner: '1:1' },
      extra: { extra: 'user.a=1' },
      source: { source: 'elsewhere/a' },
    }
    const different: string[] = []
    for (const [name, change] of Object.entries(changes)) {
      if ((await inputsPart([{ ...file, ...change }])).value !== before) different.push(name)
    }
    expect(different).toEqual(['name', 'type', 'mode', 'linkname', 'digest', 'owner', 'extra'])
  })

  test('the number of files, also of empty directories', async () => {
    const directory: FileCopyInput = { name: '0/d', source: 'd', type: 'directory', mode: 0o755 }
    const keys = await Promise.all([[], [file], [directory], [file, directory], [directory, file]].map(inputsPart))
    expect(new Set(keys.map(({ value }) => value)).size).toBe(5)
  })

  test('names that are not UTF-8 are the bytes that they are on disk', async () => {
    const [a, b] = await Promise.all(['\udcff', '\udcfe'].map(name => inputsPart([{ ...file, name }])))
    expect(a!.value).not.toBe(b!.value)
  })
})

describe('a key', () => {
  const part = (name: string, value: string): KeyPart => ({ what: 'instruction', name, value })

  test('frames every text by its length: parts that join to the same text differ', async () => {
    const keys = await Promise.all([
      keyOf([part('ab', 'c')]),
      keyOf([part('a', 'bc')]),
      keyOf([part('a', 'b'), part('c', '')]),
      keyOf([part('a', 'b')]),
      keyOf([]),
    ])
    expect(new Set(keys).size).toBe(5)
  })

  test('is the SHA-256 of its version and its parts, each text after its length in four bytes', async () => {
    const texts = ['layerstore build key 1', 'instruction', 'ä', 'b']
    const hash = createHash('sha256')
    for (const text of texts) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(text))
      hash.update(length).update(text)
    }
    expect(await keyOf([part('ä', 'b')])).toBe(`sha256:${hash.digest('hex')}`)
  })

  test('of a long list is hashed in pieces', async () => {
    const long = Array.from({ length: 30_000 }, (_, i) => part(`name ${i}`, `value ${i}`))
    expect(await keyOf(long)).toBe(await keyOf([...long]))
    expect(await keyOf(long.slice(1))).not.toBe(await keyOf(long))
  })
})

test('the file of an address is the last segment of its path', () => {
  const names = ['https://h/a/b.tar?x=1', 'https://h/', 'https://h', 'https://h/a%2Fb', 'https://h/%ff'].map(fileNameOf)
  expect(names).toEqual(['b.tar', '__unnamed__', '__unnamed__', 'a_b', '%ff'])
})
