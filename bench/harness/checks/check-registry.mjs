/** Verifies that a registry serves an image under a reference: the manifest by its tag, every blob with its size. */
export async function checkRegistry(reference, { digest, blobs }) {
  const [, host, repository, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference)
  const base = `http://${host}/v2/${repository}`
  const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' }
  const manifest = await fetch(`${base}/manifests/${tag}`, { method: 'HEAD', headers })
  const found = manifest.headers.get('docker-content-digest')
  if (found !== digest) throw new Error(`${reference} is ${found} in the registry, not ${digest}`)
  for (const blob of blobs.filter(one => one.digest !== digest)) {
    const answer = await fetch(`${base}/blobs/${blob.digest}`, { method: 'HEAD' })
    if (Number(answer.headers.get('content-length')) !== blob.size) throw new Error(`the registry lacks ${blob.digest}`)
  }
}
