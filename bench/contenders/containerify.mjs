import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { missing } from '../harness/find-program.mjs'
import { measureCommand } from '../harness/measure/measure-command.mjs'
import { missingPeer, peerPath, peerVersion } from '../harness/peers.mjs'
import { lastLayerOf } from './oci-layout.mjs'

/**
 * containerify: adds a directory to a base image of a few bytes and writes the image as a packed OCI layout. It
 * stores what links point to instead of links.
 */
export const containerify = {
  name: 'containerify',
  available: () => missingPeer('containerify') ?? missing('docker-registry'),
  version: () => peerVersion('containerify'),
  async run(_job, { directory, scratch, registry }) {
    const archive = `${scratch}/image.tar`
    const { stdout: _, ...measured } = await measureCommand([
      process.execPath,
      peerPath('containerify', 'lib', 'cli.js'),
      ...['--fromRegistry', `http://${registry}/v2/`, '--fromImage', 'bench/base:1', '--toImage', 'bench/out:1'],
      ...['--toOciLayout', archive, '--folder', dirname(directory), '--customContent', `${basename(directory)}:/`],
    ])
    const layout = `${scratch}/layout`
    mkdirSync(layout)
    execFileSync('tar', ['-C', layout, '-xf', archive])
    return { ...measured, outcome: { ...lastLayerOf(layout), followsLinks: true } }
  },
}
