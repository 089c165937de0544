import {
  type DockerfileOutline,
  type OutlinedMount,
  outlineDockerfile,
  parseDockerfile,
} from '../../../dockerfile/index.ts'
import { formatPlatform, type Platform } from '../../../oci/index.ts'
import { locationOf } from '../../building/location-of.ts'
import { printJson } from '../../printing/print.ts'
import type { Session } from '../../session/session.ts'

/** Options of {@link printOutline}. */
export interface PrintOutlineOptions {
  readonly file: string
  readonly buildArgs: Readonly<Record<string, string>>
  readonly target: string | undefined
  readonly platform: string | Platform | undefined
  readonly json: boolean
}

/**
 * `build --call=outline`: prints what the target takes from outside, as docker does, as tables or as JSON. No base is
 * resolved: variables of base images are unknown.
 */
export function printOutline(session: Session, text: string, options: PrintOutlineOptions): void {
  const { file, buildArgs, target, platform, json } = options
  const outline = outlineDockerfile(parseDockerfile(text, { file }), {
    buildArgs,
    ...(target !== undefined && { target }),
    ...(platform !== undefined && { platform: typeof platform === 'string' ? platform : formatPlatform(platform) }),
  })
  const data = { ...jsonOf(outline), sources: [Buffer.from(text).toString('base64')] }
  if (json) printJson(session.terminal.stdout, data)
  else session.result(linesOf(session, outline), data)
}

function linesOf(session: Session, { name, description, args, secrets, ssh }: DockerfileOutline): string[] {
  const rows = args.map(({ name, value = '', description = '' }) => [name, value, description])
  const titled = (title: string, found: readonly OutlinedMount[]) =>
    session.table(
      [title, 'REQUIRED'],
      found.map(({ name, required }) => [name, required ? 'true' : '']),
    )
  const parts = [
    [
      ...(name === undefined ? [] : [`TARGET:${description === undefined ? ' ' : '      '}${name}`]),
      ...(description === undefined ? [] : [`DESCRIPTION: ${description}`]),
    ],
    rows.length > 0 ? session.table(['BUILD ARG', 'VALUE', 'DESCRIPTION'], rows) : [],
    secrets.length > 0 ? titled('SECRET', secrets) : [],
    ssh.length > 0 ? titled('SSH', ssh) : [],
  ]
  return parts.filter(lines => lines.length > 0).flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]))
}

/** SPEC: the members and their order are those of BuildKit's subrequest `frontend.outline`. */
function jsonOf({ name, description, args, secrets, ssh }: DockerfileOutline) {
  const mounts = (found: readonly OutlinedMount[]) =>
    found.map(({ name, required, position }) => ({
      name,
      ...(required ? { required } : {}),
      location: locationOf(position),
    }))
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(args.length > 0 && { args: args.map(({ position, ...arg }) => ({ ...arg, location: locationOf(position) })) }),
    ...(secrets.length > 0 && { secrets: mounts(secrets) }),
    ...(ssh.length > 0 && { ssh: mounts(ssh) }),
  }
}
