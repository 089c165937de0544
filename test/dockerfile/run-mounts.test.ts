// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { expect, test } from 'vitest'
import { evaluateDockerfile, parseDockerfile, type RunMount, type RunStep } from '../../lib/dockerfile/index.ts'

const linux = { platform: 'linux/amd64', buildPlatform: 'linux/amd64' }

function run(line: string, before = ''): RunStep {
  const document = parseDockerfile(`FROM scratch AS tools\nFROM scratch\nENV A=x\nWORKDIR /w\n${before}${line}\n`)
  return evaluateDockerfile(document, linux).stages.at(-1)!.steps.at(-1) as RunStep
}

function mount(fields: string): RunMount {
  const { mounts } = run(`RUN --mount=${fields} true`)
  expect(mounts).toHaveLength(1)
  return mounts[0]!
}

const bind = { type: 'bind', target: '/t', from: { context: '' }, source: '/', readOnly: true }
const cache = { type: 'cache', target: '/t', id: '/t', sharing: 'shared', source: '/', readOnly: false }
const owner = { uid: 0, gid: 0 }

test.each<[string, object]>([
  ['target=/t', bind],
  ['type=bind,dst=/t,src=a/../b', { ...bind, source: '/b' }],
  ['TYPE=Bind,Destination=t', { ...bind, target: '/w/t' }],
  ['target=/t,rw', { ...bind, readOnly: false }],
  ['target=/t,readwrite=false', bind],
  ['target=/t,readonly=0', { ...bind, readOnly: false }],
  ['target=/$A/${A}', { ...bind, target: '/x/x' }],
  ['from=TOOLS,target=/t', { ...bind, from: { stage: 0 } }],
  ['from=scratch,target=/t', { ...bind, from: { scratch: true } }],
  ['from=0,target=/t', { ...bind, from: { reference: '0', platform: 'linux/amd64' } }],
  ['from=alpine:3,target=/t', { ...bind, from: { reference: 'alpine:3', platform: 'linux/amd64' } }],
  ['type=cache,target=/t/', { ...cache, ...owner, mode: 0o755 }],
  ['type=cache,target=/t,id=npm,sharing=LOCKED', { ...cache, id: 'npm', sharing: 'locked', ...owner, mode: 0o755 }],
  ['type=cache,target=/t,ro,uid=1,gid=2,mode=700', { ...cache, readOnly: true, uid: 1, gid: 2, mode: 0o700 }],
  ['type=cache,target=/t,from=tools,source=/c', { ...cache, from: { stage: 0 }, source: '/c', ...owner, mode: 0o755 }],
  ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t' }],
  ['type=tmpfs,target=/t,size=1.5m', { type: 'tmpfs', target: '/t', size: 1_572_864 }],
  ['type=tmpfs,target=/t,size=12', { type: 'tmpfs', target: '/t', size: 12 }],
  [
    'type=secret,id=a/b',
    { type: 'secret', id: 'a/b', target: '/run/secrets/b', required: false, ...owner, mode: 0o400 },
  ],
  [
    'type=secret,target=/x/y,required',
    { type: 'secret', id: 'y', target: '/x/y', required: true, ...owner, mode: 0o400 },
  ],
  ['type=secret,source=s,env=TOKEN', { type: 'secret', id: 's', env: 'TOKEN', required: false, ...owner, mode: 0o400 }],
  ['type=secret,id=s,env=', { type: 'secret', id: 's', env: 's', required: false, ...owner, mode: 0o400 }],
  [
    'type=secret,id=s,env=E,target=/x,mode=0440,required=false',
    { type: 'secret', id: 's', env: 'E', target: '/x', required: false, ...owner, mode: 0o440 },
  ],
  [
    'type=secret,id=s,target=../in/s',
    { type: 'secret', id: 's', target: '/in/s', required: false, ...owner, mode: 0o400 },
  ],
  ['type=ssh,target=s', { type: 'ssh', id: 'default', target: '/w/s', required: false, ...owner, mode: 0o600 }],
  ['type=ssh', { type: 'ssh', id: 'default', required: false, ...owner, mode: 0o600 }],
  [
    'type=ssh,id=k,target=/s,required=true,uid=5',
    { type: 'ssh', id: 'k', target: '/s', required: true, uid: 5, gid: 0, mode: 0o600 },
  ],
])('--mount=%s', (fields, expected) => {
  expect(mount(fields)).toEqual(expected)
})

test('a quoted field may hold commas, blanks and quotes; expansion removes the quotes', () => {
  const { mounts } = run(`RUN --mount='type=tmpfs,"target=/a, ""b"""' true`)
  expect(mounts).toEqual([{ type: 'tmpfs', target: '/a, b' }])
})

test.each<[string, string]>([
  ['target=/', 'a mount needs a target, and it cannot be /'],
  ['type=cache,target=..', 'a mount needs a target, and it cannot be /'],
  ['type=foo,target=/t', 'unknown mount type "foo"'],
  ['type=cahce,target=/t', 'did you mean cache?'],
  ['targte=/t', 'unknown key "targte" of --mount at Dockerfile:5:5 (did you mean target?)'],
  ['target', '"target" of --mount has no value'],
  ['target=/t,required', 'required is not allowed for mounts of type bind'],
  ['target=/t,mode=1', 'mode is not allowed for mounts of type bind'],
  ['type=tmpfs,target=/t,uid=1', 'uid is not allowed for mounts of type tmpfs'],
  ['target=/t,sharing=locked', 'sharing is not allowed for mounts of type bind'],
  ['target=/t,size=1', 'size is not allowed for mounts of type bind'],
  ['type=cache,target=/t,env=X', 'env is not allowed for mounts of type cache'],
  ['type=cache,target=/t,sharing=foo', 'sharing "foo" is none of shared, private, locked'],
  ['type=cache,target=/t,mode=9', 'mode "9" is not an octal number'],
  ['type=cache,target=/t,uid=-1', 'uid "-1" is not a number'],
  ['type=cache,target=/t,gid=4294967296', 'gid "4294967296" is not a number'],
  ['type=tmpfs,target=/t,size=big', 'size "big" is not a number of bytes'],
  ['type=secret', 'a secret needs an id, a source or a target'],
  ['type=secret,id=a,source=b', 'a secret has a source or an id, not both'],
  ['type=secret,id=a,from=b', 'a secret has no from'],
  ['target=/t,ro=maybe', 'readonly is true or false, not "maybe"'],
  ['', 'is not a list of fields'],
  [`'a"b'`, 'is not a list of fields'],
])('--mount=%s is refused', (fields, message) => {
  expect(() => mount(fields)).toThrow(message)
})

test('quotes in the wrong place are no CSV', () => {
  for (const value of [`'"a"b,target=/t'`, `'"a,target=/t'`, `'target=/t,"'`]) {
    expect(() => run(`RUN --mount=${value} x`)).toThrow('is not a list of fields')
  }
})

test('a here-document is the command, a script, or text for the shell', () => {
  const shell = ['/bin/sh', '-c']
  expect(run('RUN <<EOF\necho $A\n\techo\nEOF').command).toEqual({ shell, text: 'echo $A\n\techo\n' })
  expect(run('RUN <<-EOF\n\techo\n\tEOF').command).toEqual({ shell, text: 'echo\n' })
  const script = { path: '/dev/pipes/X', content: '#!/bin/x\n' }
  expect(run('RUN <<"X"\n#!/bin/x\nX').command).toEqual({ shell, text: '/dev/pipes/X', script })
  expect(run('RUN cat <<A >b\n1\nA').command).toEqual({ shell, text: 'cat <<A >b\n1\nA' })
  expect(run('RUN <<A <<B\n1\nA\n2\nB').command).toEqual({ shell, text: '<<A <<B\n1\nA\n2\nB' })
  expect(run('RUN').command).toEqual({ shell, text: '' })
  expect(run('RUN ["a", "b"]').command).toEqual({ args: ['a', 'b'] })
})

test('network is in the data, and a repeated mount target is left to the executor', () => {
  expect(run('RUN --network=none --security=sandbox x').network).toBe('none')
  expect(run('RUN --mount=target=/a --mount=type=tmpfs,target=/a x').mounts).toHaveLength(2)
})

test('privileges that no executor here has are refused by name', () => {
  for (const flag of ['--security=insecure', '--device=gpu']) {
    expect(() => run(`RUN ${flag} x`)).toThrow(expect.objectContaining({ code: 'ERR_DOCKERFILE_UNSUPPORTED' }))
  }
})
