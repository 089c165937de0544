// Runs the demo against Debian's docker-registry on a free loopback port; exits with the demo's exit code.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from '../../bench/harness/servers/free-port.mjs'

const directory = mkdtempSync(join(tmpdir(), 'layerstore-registry-'))
const port = await freePort()
const config = join(directory, 'config.yml')
writeFileSync(
  config,
  `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/data\nhttp:\n  addr: 127.0.0.1:${port}\n`,
)
const registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
try {
  await ready(port)
  process.exitCode = await demo(`127.0.0.1:${port}`)
} finally {
  registry.kill()
  rmSync(directory, { recursive: true, force: true })
}

async function ready(port) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise(done => setTimeout(done, 100))
  }
  throw new Error('docker-registry did not start within ten seconds')
}

function demo(host) {
  const script = resolve(import.meta.dirname, '../../bench/demo.mjs')
  return new Promise((done, fail) => {
    spawn(process.execPath, [script, '--registry', host], { stdio: 'inherit' }).once('error', fail).once('exit', done)
  })
}
