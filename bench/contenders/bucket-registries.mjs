import { join } from 'node:path'
import { checkLayout } from '../harness/checks/check-layout.mjs'
import { checkRegistry } from '../harness/checks/check-registry.mjs'
import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand } from '../harness/measure/measure-command.mjs'
import { watchServer } from '../harness/measure/watch-server.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'
import { withLayerstoreServer } from '../harness/servers/layerstore-server.mjs'
import { runJob } from './run-job.mjs'

/**
 * `layerstore serve` over a bucket, or with `disk` over a directory. It hashes with wasm: the state of a native hasher
 * cannot be saved, so an upload in pieces to a bucket fails with it.
 */
export const layerstoreOnBucket = {
  name: 'layerstore serve',
  own: true,
  available: () => undefined,
  version: () => `Node ${process.version}`,
  run: (_, input) => runActs(input, layerstoreOf(input)),
}

/** docker-registry with its S3 driver. */
export const dockerRegistryOnBucket = {
  name: 'docker-registry',
  available: () => missing('docker-registry'),
  version: () => versionOf('docker-registry'),
  run: (_, input) => runActs(input, dockerRegistryOf(input)),
}

/** The variables by which a program reaches a bucket. */
export function environmentFor({ endpoint, region, key }) {
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
  }
}

function layerstoreOf({ library, scratch, engine, bucket, redirects, disk }) {
  const [store, env] = [disk ? join(scratch, 'store') : `s3://${bucket}/bench`, environmentFor(engine)]
  const gc = ['--store', store, '--hasher', 'native', 'gc', '--grace', '0s', '--force']
  return {
    serve: act => withLayerstoreServer(store, act, { library, hasher: 'wasm', redirects, env }),
    collect: () => measureCommand([process.execPath, join(library, 'cli/main.js'), ...gc], { env }),
  }
}

function dockerRegistryOf({ scratch, engine, bucket, redirects }) {
  const directory = join(scratch, 'registry')
  const { endpoint, region, key } = engine
  const keys = { accesskey: key.accessKeyId, secretkey: key.secretAccessKey }
  const storage = {
    s3: { ...keys, region, regionendpoint: endpoint, bucket, secure: false, v4auth: true, rootdirectory: '/bench' },
    delete: { enabled: true },
    redirect: { disable: !redirects },
  }
  return {
    serve: act => withDockerRegistry(directory, act, { storage }),
    collect: () =>
      measureCommand(['docker-registry', 'garbage-collect', `${directory}/config.yml`], {
        env: { AWS_CA_BUNDLE: undefined, OTEL_TRACES_EXPORTER: 'none' },
      }),
  }
}

/**
 * A server takes two images and deletes one, what only that one needed is collected without a server, and a new server
 * gives the other image to an empty store and to one that has it. The client is this library for every server.
 */
async function runActs(input, { serve, collect }) {
  const { library, scratch, engine, bucket, disk, app, next } = input
  const figures = { wallSeconds: 0, cpuSeconds: 0, peakBytes: 0 }
  const layout = join(scratch, 'pulled')
  const measure = async (name, act) => {
    const before = disk ? 0 : await engine.requestsTo(bucket)
    const { wallSeconds } = await act()
    figures[`${name}Seconds`] = wallSeconds
    figures.wallSeconds += wallSeconds
    if (!disk) figures[`${name}Requests`] = (await engine.requestsTo(bucket)) - before
  }
  const withServer = act =>
    serve(async (host, pid) => {
      await act(host)
      const { cpuSeconds, peakBytes } = watchServer(pid, scratch).figures()
      figures.cpuSeconds += cpuSeconds
      figures.peakBytes = Math.max(figures.peakBytes, peakBytes)
    })
  const push = ({ layout, name }, reference) =>
    runJob('layerstore-push', { library, layout, name, reference, hasher: 'native' })
  await withServer(async host => {
    await measure('push', () => push(app, `${host}/bench/app:1`))
    await push(next, `${host}/bench/next:1`)
    await remove(host, next)
  })
  await measure('collect', collect)
  await withServer(async host => {
    const reference = `${host}/bench/app:1`
    const pull = () => runJob('layerstore-pull', { library, layout, reference, hasher: 'native' })
    await measure('pull', pull)
    await measure('warm', pull)
    await checkRegistry(reference, app)
    await checkGone(host, next, app)
  })
  await checkLayout(layout, app)
  return { ...figures, outcome: {} }
}

async function remove(host, { digest }) {
  const answer = await fetch(`http://${host}/v2/bench/next/manifests/${digest}`, { method: 'DELETE' })
  if (answer.status !== 202) throw new Error(`deleting a manifest is answered with ${answer.status}`)
}

/** The collection has removed each blob that only the deleted image had. */
async function checkGone(host, next, app) {
  const kept = new Set(app.blobs.map(({ digest }) => digest))
  for (const { digest } of next.blobs.filter(blob => !kept.has(blob.digest))) {
    const answer = await fetch(`http://${host}/v2/bench/next/blobs/${digest}`)
    await answer.body?.cancel()
    if (answer.status !== 404) throw new Error(`${digest} is answered with ${answer.status} after the collection`)
  }
}
