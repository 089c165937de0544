// node-tar with its own gzip; no digests.
import { peerPath } from '../../harness/peers.mjs'
import { loadPackage, report } from './report.mjs'

await report(async ({ scratch, directory, level }, timed) => {
  const { create } = loadPackage('tar', peerPath('tar', 'package.json'))
  const file = `${scratch}/layer.tar.gz`
  await timed(() => create({ file, cwd: directory, gzip: { level }, portable: true }, ['.']))
  return { outcome: { file } }
})
