import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const directory = resolve(import.meta.dirname, '../.peers')
const PEERS = { tar: '^7.5.0', containerify: '^4.1.0' }

/** Installs the npm packages to compare with, beside the project and not as its dependencies. */
export function installPeers() {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, dependencies: PEERS }))
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: directory, stdio: 'inherit' })
}

/** Returns the reason why a peer cannot be used, or `undefined` if it is installed. */
export function missingPeer(name) {
  return existsSync(peerPath(name, 'package.json')) ? undefined : 'not installed: npm run bench -- --peers'
}

/** A file of an installed peer. */
export function peerPath(name, ...parts) {
  return join(directory, 'node_modules', name, ...parts)
}

/** Name and version of an installed peer. */
export function peerVersion(name) {
  return `${name} ${JSON.parse(readFileSync(peerPath(name, 'package.json'), 'utf8')).version}`
}
