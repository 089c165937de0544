import { expect, test } from 'vitest'
import { outlineDockerfile, parseDockerfile } from '../../lib/dockerfile/index.ts'

/** Arguments and mounts as `name=value@line description` and `name!@line`, `!` for a required one. */
function outlineOf(lines: readonly string[], options: Parameters<typeof outlineDockerfile>[1] = {}) {
  const { args, secrets, ssh } = outlineDockerfile(parseDockerfile(lines.join('\n')), options)
  const mounts = (found: typeof secrets) =>
    found.map(one => `${one.name}${one.required ? '!' : ''}@${one.position.line}`)
  return {
    args: args.map(({ name, value, description, position }) =>
      [name, value === undefined ? '' : `=${value}`, `@${position.line}`, description && ` ${description}`].join(''),
    ),
    secrets: mounts(secrets),
    ssh: mounts(ssh),
  }
}

// The expected results are those of Docker Engine 28.5.2 (`docker build --call=outline,format=json`).

const STAGES = [
  ...['# NODE which node', 'ARG NODE=22', 'ARG VER=1', '# UNUSED unused one', 'ARG UNUSED=u', 'ARG NOVALUE'],
  ...[
    'FROM scratch AS tools',
    '# TOOL is the tool',
    'ARG TOOL=hammer',
    'RUN --mount=type=secret,id=toolsecret true',
    '',
  ],
  ...['FROM scratch AS base', 'ARG NODE', '# WHO who it greets', 'ARG WHO=world EXTRA', 'ARG WHO=again', 'ARG NOVALUE'],
  ...['LABEL v=$VER', '', 'FROM base AS app', 'ARG TARGETARCH', 'ARG BUILDPLATFORM=foo', 'ARG TARGETOS'],
  ...['RUN echo $TARGETOS', 'ARG HTTP_PROXY', 'ARG WHO', 'ARG SOURCE_DATE_EPOCH=5', 'ARG LAST'],
  'COPY --from=tools /x /y',
]

test('an outline has the arguments and secrets of all stages that the target needs', () => {
  const buildArgs = { EXTRA: 'e', HTTP_PROXY: 'http://p:1' }
  expect(outlineOf(STAGES, { target: 'app', buildArgs })).toEqual({
    args: [
      ...['NODE=22@2 which node', 'TOOL=hammer@9 is the tool', 'EXTRA=e@15', 'NOVALUE@17', 'BUILDPLATFORM=foo@22'],
      ...['HTTP_PROXY=http://p:1@25', 'WHO@26', 'SOURCE_DATE_EPOCH=5@27', 'LAST@28'],
    ],
    secrets: ['toolsecret@10'],
    ssh: [],
  })
  expect(outlineOf(STAGES, { target: 'tools' }).args).toEqual(['TOOL=hammer@9 is the tool'])
})

test('an outline has the arguments of FROM, the values of a build, and the first mount of a name', () => {
  const lines = [
    ...['# VER the version', 'ARG VER=scratch', 'ARG SECOND=$VER', 'FROM $VER AS base', 'ARG SECOND'],
    ...['ENV WHO=env', 'ARG WHO=arg', 'ARG V2=$WHO', 'FROM base', 'ARG HTTPS_PROXY', 'ARG TARGETARCH=x'],
    'RUN --mount=type=secret,id=a,required --mount=type=secret,id=b --mount=type=ssh,id=k true',
    'RUN --mount=type=secret,id=a --mount=type=secret,id=b,required=1 --mount=type=secret,id=c,env=C true',
  ]
  expect(outlineOf(lines, { buildArgs: { SECOND: '2', TARGETARCH: 'y' } })).toEqual({
    args: [
      ...['VER=scratch@2 the version', 'SECOND=2@5', 'WHO=arg@7', 'V2=arg@8', 'HTTPS_PROXY@10', 'TARGETARCH=y@11'],
    ],
    secrets: ['a!@12', 'b@12', 'c@13'],
    ssh: ['k@12'],
  })
  expect(outlineOf(lines).args.slice(0, 2)).toEqual(['VER=scratch@2 the version', 'SECOND=scratch@3'])
})
