// Records what a Docker Engine (BuildKit) makes of the texts in texts/: findings of its check, the error, and for those
// that build the config and history. Writes oracle.jsonl, a line for each text.
//
//   docker-engine.sh up && node test/dockerfile/record-oracle.mjs docker-engine.sh BUSYBOX [DIR of the engine]
//
// The engine is run by `docker-engine.sh exec COMMAND`, and sees the files below DIR/tmp. BUSYBOX is a static busybox,
// the shell of the base image.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { register } from 'node:module'
import { join } from 'node:path'

register('../helpers/typescript-loader.mjs', import.meta.url)
const { TEXTS } = await import('./texts/index.ts')
const { BASE, BASE_CHANGES } = await import('./texts/based.ts')
const { shortened } = await import('./texts/shortened.ts')
const [engine, busybox, directory = '/var/tmp/docker-engine'] = process.argv.slice(2)
const work = join(directory, 'tmp', 'dockerfile-texts')
rmSync(work, { recursive: true, force: true })
mkdirSync(join(work, 'context', 'dir'), { recursive: true })
for (const file of ['a', 'b', 'dir/c']) writeFileSync(join(work, 'context', file), file)

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`
const commands = TEXTS.map(([, text, { buildArgs = {}, target } = {}], number) => {
  writeFileSync(join(work, `${number}.Dockerfile`), text)
  const file = `/tmp/dockerfile-texts/${number}`
  const options = [
    ...Object.entries(buildArgs).map(([name, value]) => `--build-arg ${quoted(`${name}=${value}`)}`),
    ...(target ? [`--target ${quoted(target)}`] : []),
    `-f ${file}.Dockerfile /tmp/dockerfile-texts/context`,
  ].join(' ')
  return [
    `docker buildx build --call=check,format=json ${options} >${file}.check 2>/dev/null`,
    `grep -q buildError ${file}.check || docker buildx build --network=host --platform linux/amd64 -q ${options} >${file}.id 2>${file}.error`,
  ].join('\n')
})
writeFileSync(join(work, 'run.sh'), `${importBase()}\n${commands.join('\n')}\n`)
execFileSync(engine, ['exec', 'sh', '/tmp/dockerfile-texts/run.sh'], { stdio: 'inherit' })

const outcomes = TEXTS.map(([title], number) => [title, shortened(outcomeOf(join(work, String(number))))])
writeFileSync(
  join(import.meta.dirname, 'oracle.jsonl'),
  outcomes.map(outcome => `${JSON.stringify(outcome)}\n`).join(''),
)
rmSync(work, { recursive: true })

/** The command that makes the base of the texts in based.ts. */
function importBase() {
  const bin = join(work, 'root', 'bin')
  mkdirSync(bin, { recursive: true })
  mkdirSync(join(work, 'root', 'srv'))
  mkdirSync(join(work, 'root', 'tmp'))
  copyFileSync(busybox, join(bin, 'busybox'))
  for (const name of ['sh', 'cat', 'echo', 'id', 'test', 'touch', 'true']) symlinkSync('busybox', join(bin, name))
  execFileSync('tar', ['-C', join(work, 'root'), '-cf', join(work, 'root.tar'), '.'])
  const changes = BASE_CHANGES.map(change => `--change ${quoted(change)}`).join(' ')
  return `docker import ${changes} /tmp/dockerfile-texts/root.tar ${BASE}`
}

function outcomeOf(file) {
  const { warnings, buildError } = JSON.parse(readFileSync(`${file}.check`, 'utf8') || '{}')
  const found = (warnings ?? []).map(({ ruleName, location }) => `${ruleName}:${location.ranges?.[0].start.line ?? 0}`)
  const error = buildError && { message: buildError.message, line: buildError.location?.ranges?.[0].start.line }
  return { ...(error && { error }), ...(found.length > 0 && { warnings: found.sort() }), ...(!error && imageOf(file)) }
}

/** Config and history of the image, without what differs from run to run; or why it did not build. */
function imageOf(file) {
  const id = existsSync(`${file}.id`) && readFileSync(`${file}.id`, 'utf8').trim()
  if (!id)
    return {
      buildError: readFileSync(`${file}.error`, 'utf8')
        .split('\n')
        .filter(line => /^ERROR/.test(line))[0],
    }
  const path = join(directory, 'var/lib/d/image/overlay2/imagedb/content', id.replace(':', '/'))
  const { config, history, author } = JSON.parse(readFileSync(path, 'utf8'))
  const texts = (history ?? []).map(({ created_by, empty_layer }) => (empty_layer ? '' : '+ ') + (created_by ?? ''))
  return { ...(author && { author }), config, history: texts }
}
