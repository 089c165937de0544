import { expect, test } from 'vitest'
import {
  type BaseRequest,
  type EvaluateDockerfileOptions,
  evaluateDockerfile,
  parseDockerfile,
} from '../../lib/dockerfile/index.ts'
import type { ImageConfig } from '../../lib/oci/index.ts'

const linux = { platform: 'linux/amd64', buildPlatform: 'linux/amd64' }

function evaluate(text: string, options: EvaluateDockerfileOptions = {}) {
  return evaluateDockerfile(parseDockerfile(text), { ...linux, ...options })
}

/** History texts of the last stage. */
function history(text: string, options?: EvaluateDockerfileOptions): string[] {
  return evaluate(text, options)
    .stages.at(-1)!
    .steps.map(step => step.text)
}

function image(config: Record<string, unknown>): ImageConfig {
  return { architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] } } as ImageConfig
}

test('history texts are those of BuildKit, byte for byte', () => {
  const text = `FROM scratch
ARG A=1 B
ENV C="x y" D=$A
WORKDIR app
RUN echo $C
RUN ["a", "b c"]
COPY --chown=1:2 --chmod=644 --link --exclude=*.md a b\\
 c/ $D/
ADD --unpack=false x.tar <<EOF /
hi
EOF
EXPOSE 80-81 53/UDP
CMD ["a", "\\u00e9\\t\\u0001\\"\\\\"]
ENTRYPOINT run it
HEALTHCHECK --interval=1m30s --timeout=1500us --retries=2 CMD x y
VOLUME ["/a b"]
SHELL ["/bin/bash", "-c"]
RUN exit
STOPSIGNAL SIGRTMIN+3
LABEL a=b 'c d'="e"
USER $B:1
MAINTAINER me <me@x>`
  expect(history(text)).toEqual([
    'ARG A=1 B',
    'ENV C=x y D=1',
    'WORKDIR /app',
    'RUN |2 A=1 B= /bin/sh -c echo $C # buildkit',
    'RUN |2 A=1 B= a b c # buildkit',
    'COPY --chown=1:2 --chmod=644 a b c/ 1/ # buildkit',
    'ADD x.tar <<EOF / # buildkit',
    'EXPOSE [53/udp 80/tcp 81/tcp]',
    'CMD ["a" "é\\t\\x01\\"\\\\"]',
    'ENTRYPOINT ["/bin/sh" "-c" "run it"]',
    'HEALTHCHECK {Test:[CMD-SHELL x y] Interval:1m30s Timeout:1.5ms StartPeriod:0s StartInterval:0s Retries:2}',
    'VOLUME [/a b]',
    'SHELL [/bin/bash -c]',
    'RUN |2 A=1 B= /bin/bash -c exit # buildkit',
    'STOPSIGNAL SIGRTMIN+3',
    'LABEL a=b c d=e',
    'USER :1',
    'MAINTAINER me <me@x>',
  ])
})

test('variables, directory, user and shell of a base are in force, and its triggers fire first', () => {
  const base = image({
    Env: ['A=base', 'PATH=/p'],
    WorkingDir: '/srv',
    User: 'app',
    Shell: ['/bin/ash', '-c'],
    OnBuild: ['RUN trigger $A', 'COPY --from=tools /t .'],
  })
  const asked: BaseRequest[] = []
  const { stages, unresolved } = evaluate('FROM busybox AS tools\nFROM base:1\nENV B=$A\nCOPY x .\nRUN own', {
    bases: request => {
      asked.push(request)
      return request.reference === 'base:1' ? base : undefined
    },
  })
  expect(unresolved).toMatchObject([{ reference: 'busybox', platform: 'linux/amd64' }])
  expect(asked.map(({ reference }) => reference)).toEqual(['base:1', 'busybox'])
  expect(stages).toHaveLength(2)
  const [trigger, copied, env, copy, run] = stages[1]!.steps
  expect(trigger).toMatchObject({
    kind: 'run',
    text: 'RUN /bin/ash -c trigger $A # buildkit',
    onBuild: 'RUN trigger $A',
    position: { line: 2, column: 1, endLine: 2 },
    environment: ['A=base', 'PATH=/p'],
    user: 'app',
    workdir: '/srv',
  })
  expect(copied).toMatchObject({ kind: 'copy', from: { stage: 0 }, destination: '/srv/' })
  expect(env).toMatchObject({ kind: 'config', set: { env: [['B', 'base']] } })
  expect(copy).toMatchObject({ kind: 'copy', from: { context: '' }, sources: ['x'], destination: '/srv/' })
  expect(run).toMatchObject({ environment: ['A=base', 'PATH=/p', 'B=base'] })
})

test('a base that is not known yet is listed, and the evaluation continues without it', () => {
  const { stages, unresolved } = evaluate('FROM a AS x\nRUN y\nFROM x\nCOPY --from=img /a /b')
  expect(unresolved).toEqual([
    { reference: 'a', platform: 'linux/amd64', position: { line: 1, column: 1, endLine: 1 } },
  ])
  expect(stages[1]).toMatchObject({
    base: { stage: 0 },
    steps: [{ from: { reference: 'img', platform: 'linux/amd64' } }],
  })
})

test('stages that the target does not need are left out, and their numbers are not counted', () => {
  const text = 'FROM a AS unused\nRUN x\nFROM b AS deps\nFROM c AS app\nCOPY --from=deps /x /y\nFROM d\n'
  const { stages } = evaluate(text, { target: 'APP' })
  expect(stages.map(({ name }) => name)).toEqual(['deps', 'app'])
  expect(stages[1]!.steps[0]).toMatchObject({ from: { stage: 0 } })
})

test('build arguments are inherited by a stage on a stage, and ENV counts again there', () => {
  const text = 'FROM scratch AS p\nENV A=env\nARG A=arg\nARG B=b\nFROM p\nRUN x\nENV C=$A$B'
  expect(history(text)).toEqual(['RUN |2 A=env B=b /bin/sh -c x # buildkit', 'ENV C=envb'])
})

test('a stage that reads from itself, from a later one or from nothing is refused with its place', () => {
  expect(() => evaluate('FROM a AS b\nCOPY --from=b x y')).toThrow('in a circle: b → b at Dockerfile:2:1')
  expect(() => evaluate('FROM a AS b\nCOPY --from=c x y\nFROM b AS c')).toThrow('in a circle: b → c → b')
  expect(() => evaluate('FROM a AS b\nCOPY --from=c x y\nFROM d AS c', { target: 'b' })).toThrow(
    'stage "c" must be defined before stage "b" at Dockerfile:2:1 (move it up)',
  )
  expect(() => evaluate('FROM a AS build', { target: 'biuld' })).toThrow('did you mean build?')
})
