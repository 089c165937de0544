// A report beside an image: pushed to its repository, found by the digest of the image.
import { readFileSync } from 'node:fs'
import { createRegistryClient, parseReference } from 'layerstore'
import { attachArtifact } from 'layerstore/transfer'

const registry = createRegistryClient()
const artifactType = 'application/vnd.example.coverage'
const { subject } = await attachArtifact(registry, 'localhost:5000/app:1.0', {
  artifactType,
  layers: [{ title: 'coverage.json', mediaType: 'application/json', content: readFileSync('coverage.json') }],
})
for await (const report of registry.listReferrers(parseReference('localhost:5000/app'), subject.digest, {
  artifactType,
})) {
  console.log(report.artifactType, report.digest)
}
