// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import type { ImageConfig } from '../../../lib/oci/index.ts'
import type { TextCase } from './text-case.ts'

/** Config of the base of these texts, as `docker import --change` takes it. */
export const BASE_CHANGES: readonly string[] = [
  'ENV A=base B="b c"',
  'WORKDIR /srv',
  'USER 1000:1000',
  'CMD ["base"]',
  'ENTRYPOINT ["/entry"]',
  'LABEL l=base',
  'EXPOSE 80',
  'VOLUME /v',
  'STOPSIGNAL 9',
  'ONBUILD ENV TRIGGERED=$A',
]

/** The same as a config. An import has one entry in its history, without a text. */
export const BASE_IMAGE: ImageConfig = {
  os: 'linux',
  architecture: 'amd64',
  config: {
    Env: ['A=base', 'B=b c'],
    WorkingDir: '/srv',
    User: '1000:1000',
    Cmd: ['base'],
    Entrypoint: ['/entry'],
    Labels: { l: 'base' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/v': {} },
    StopSignal: '9',
    OnBuild: ['ENV TRIGGERED=$A'],
  } as NonNullable<ImageConfig['config']>,
  rootfs: { type: 'layers', diff_ids: [] },
  history: [{}],
}

/** Name of that base. Its root filesystem is busybox as `/bin/sh`. */
export const BASE = 'dockerfile-texts-base:1'

const onBase = (...lines: readonly string[]) => [`FROM ${BASE}`, ...lines, ''].join('\n')

/** RUN, and what a base sets. */
export const BASED: readonly TextCase[] = [
  ['base: nothing more', onBase()],
  ['base: a variable of the base', onBase('LABEL x=$A-$B')],
  ['base: ENV over a variable of the base', onBase('ENV A=mine', 'LABEL x=$A')],
  ['base: ARG over a variable of the base', onBase('ARG A=arg', 'LABEL x=$A', 'RUN test "$A" = arg')],
  ['base: WORKDIR relative to that of the base', onBase('USER 0', 'WORKDIR sub')],
  ['base: USER and WORKDIR in force', onBase('RUN test "$(id -u)" = 1000 && test "$PWD" = /srv')],
  ['base: ENTRYPOINT clears the CMD of the base', onBase('ENTRYPOINT ["mine"]')],
  ['base: CMD keeps the ENTRYPOINT of the base', onBase('CMD ["mine"]')],
  ['base: EXPOSE and VOLUME are added', onBase('EXPOSE 81', 'VOLUME /w', 'LABEL m=1')],
  ['base: the trigger sees the base and is seen', onBase('LABEL x=$TRIGGERED', 'ENV A=2')],
  ['base: triggers are not inherited', `FROM ${BASE} AS a\nFROM a\nLABEL x=$TRIGGERED\n`],
  ['RUN in shell form', onBase('RUN echo  "a  b"   c')],
  ['RUN in JSON form', onBase('RUN ["/bin/sh", "-c", "echo a"]')],
  ['RUN with continuation lines', onBase('RUN echo a && \\', '    echo b')],
  ['RUN behind ARG', onBase('ARG X=1', 'RUN test "$X" = 1')],
  [
    'RUN behind ARGs with and without values',
    onBase('ARG X=1 Y', 'ARG Z=${X}2', 'RUN test "$Z" = 12'),
    { buildArgs: { Y: 'y' } },
  ],
  ['RUN behind ARG and ENV of one name', onBase('ARG X=1', 'ENV X=2', 'RUN test "$X" = 2')],
  ['RUN behind ENV and ARG of one name', onBase('ENV X=2', 'ARG X=1', 'RUN test "$X" = 1')],
  ['RUN behind ARG twice', onBase('ARG X=1', 'ARG X=3', 'RUN test "$X" = 3')],
  ['RUN behind ARG of a stage', `FROM ${BASE} AS a\nARG X=1\nFROM a\nRUN test "$X" = 1\n`],
  ['RUN behind ARG and ENV of a stage', `FROM ${BASE} AS a\nENV X=env\nARG X=arg\nFROM a\nRUN test "$X" = env\n`],
  ['RUN behind a global ARG', `ARG X=1\nFROM ${BASE}\nARG X\nRUN test "$X" = 1\n`],
  ['RUN behind SHELL', onBase('SHELL ["/bin/sh", "-ec"]', 'RUN true')],
  ['RUN of a here-document', onBase('RUN <<EOF', 'x=1', 'test "$x" = 1', 'EOF')],
  ['RUN of a here-document with tabs', onBase('RUN <<-EOF', '\ttrue', '\tEOF')],
  ['RUN of a here-document with #!', onBase('RUN <<EOF', '#!/bin/sh', 'exit 0', 'EOF')],
  ['RUN of a here-document for a command', onBase('RUN cat <<EOF', 'hi $A', 'EOF')],
  ['RUN of two here-documents', onBase('RUN cat <<one && cat <<two', '1', 'one', '2', 'two')],
  ['RUN of a here-document with blanks before the name', onBase('RUN << EOF', 'true', 'EOF')],
  ['RUN of a here-document with a descriptor', onBase('RUN cat 0<<EOF', 'hi', 'EOF')],
  ['RUN with a shift is no here-document', onBase('RUN echo $((1<<2))')],
  ['RUN with << in quotes is no here-document', onBase('RUN echo "<<EOF"')],
  ['RUN with an open quote before <<', onBase("RUN echo it\\'s <<EOF", 'x', 'EOF')],
  ['RUN with --network', onBase('RUN --network=none true')],
  ['RUN with a tmpfs', onBase('RUN --mount=type=tmpfs,target=/t test -d /t')],
  [
    'RUN with a bind mount of a stage',
    `FROM scratch AS s\nCOPY a /a\nFROM ${BASE}\nRUN --mount=from=s,target=/m test -f /m/a\n`,
  ],
  ['RUN with a cache', onBase('USER 0', 'RUN --mount=type=cache,target=/c touch /c/x')],
  ['RUN with a mount of a missing type', onBase('RUN --mount=type=foo,target=/t true')],
  ['RUN with a mount of a missing key', onBase('RUN --mount=type=bind,foo=/t true')],
  ['RUN with a mount at the root', onBase('RUN --mount=target=/ true')],
  ['RUN with a tmpfs with a mode', onBase('RUN --mount=type=tmpfs,target=/t,mode=700 true')],
  ['RUN with a secret without a name', onBase('RUN --mount=type=secret true')],
  ['RUN with a mount with a broken boolean', onBase('RUN --mount=target=/t,ro=maybe true')],
  [
    'ONBUILD RUN of a here-document fires',
    `FROM ${BASE} AS a\nONBUILD RUN <<EOF\nONBUILD ENV T=1\ntrue\nEOF\nFROM a\n`,
  ],
  ['ONBUILD RUN behind ARG fires', `FROM ${BASE} AS a\nARG X=1\nONBUILD RUN test "$X" = 1\nFROM a\nRUN true\n`],
]
