// The common pipeline in Node: tar-stream, hash-wasm, one createGzip, hash-wasm, a file.
import { createReadStream, createWriteStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { loadPackage, report } from './report.mjs'

await report(async ({ scratch, directory, level }, timed) => {
  const { createSHA256 } = loadPackage('hash-wasm')
  const pack = loadPackage('tar-stream').pack()
  const [inner, outer] = [await createSHA256(), await createSHA256()]
  const file = `${scratch}/layer.tar.gz`
  await timed(() =>
    Promise.all([
      fill(pack, directory),
      pipeline(pack, hashed(inner), createGzip({ level }), hashed(outer), createWriteStream(file)),
    ]),
  )
  return { outcome: { file, diffId: `sha256:${inner.digest()}`, digest: `sha256:${outer.digest()}` } }
})

function hashed(hasher) {
  return async function* (source) {
    for await (const chunk of source) {
      hasher.update(chunk)
      yield chunk
    }
  }
}

async function fill(pack, root) {
  for (const { name, path, stat } of walk(root, '')) {
    const header = { name, mode: stat.mode & 0o7777, mtime: new Date(0) }
    if (stat.isDirectory()) await entry(pack, { ...header, type: 'directory' })
    else if (stat.isSymbolicLink()) await entry(pack, { ...header, type: 'symlink', linkname: readlinkSync(path) })
    else if (stat.size < 2 ** 20) await entry(pack, header, readFileSync(path))
    else await pipeline(createReadStream(path), pack.entry({ ...header, size: stat.size }))
  }
  pack.finalize()
}

function entry(pack, header, bytes) {
  return new Promise((done, fail) => void pack.entry(header, bytes, error => (error ? fail(error) : done())))
}

function* walk(root, below) {
  for (const file of readdirSync(join(root, below)).sort()) {
    const name = below ? `${below}/${file}` : file
    const path = join(root, name)
    const stat = lstatSync(path)
    yield { name, path, stat }
    if (stat.isDirectory()) yield* walk(root, name)
  }
}
