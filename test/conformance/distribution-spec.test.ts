import { discoveryCases } from './distribution/discovery-cases.ts'
import { managementCases } from './distribution/management-cases.ts'
import { pullCases } from './distribution/pull-cases.ts'
import { pushCases } from './distribution/push-cases.ts'
import { type Differences, runAgainstAll } from './distribution/subjects.ts'
import { Target } from './distribution/target.ts'

/* The cases of the conformance suites of opencontainers/distribution-spec (v1.1 and the draft after it), in our own words. */

const ours: Differences = {
  'DELETE of a blob leaves it in other repositories':
    'all repositories share the blobs of one store; a blob that no name needs is gone everywhere (server/README.md)',
}

const noReferrers = 'it has no referrers API; clients keep the list under the fallback tag'
const noPages = 'it pages the catalog only, and lists tags in any order'
const noDigestCheck = 'what is not a digest is an unknown failure (500) to it'
const ranges = 'it takes a piece wherever it says it belongs, and checks the digest at the end'

/** Of Debian's 2.8.2. */
const dockerRegistry: Differences = {
  'GET of a manifest by a malformed digest is refused': noDigestCheck,
  'PUT of a manifest by a malformed digest is refused': noDigestCheck,
  'a manifest whose foreign layers are missing is taken and given back':
    'it must be told which addresses foreign layers may have, and fails (500) on others',
  'a manifest is put and got by a sha512 digest': 'it keeps manifests under sha256 only',
  'Blob Upload Monolithic: POST with the blob stores it (201)': 'it opens an upload, and the blob has to be sent again',
  'Blob Upload Chunked: Out-of-order blob upload should return 416': ranges,
  'Blob Upload Chunked: Retry previous blob chunk should return 416': ranges,
  'a last piece out of order is refused with 416, and the upload goes on': ranges,
  'Blob Upload Chunked: Get on stale blob upload should return 204 with a range and location':
    'the address of its uploads holds their state; an old one is unknown (404)',
  'Cross-mounting without from, and automatic content discovery enabled should return a 201':
    'it looks only into the repository that is named',
  'a manifest over 4 MiB is refused with 413': 'it refuses with 400',
  'several tags are set by one request': 'it does not know the parameter of the draft',
  'GET number of tags should be limitable by `n` query parameter': noPages,
  'GET start of tag is set by `last` query parameter': noPages,
  'Link leads through all pages': noPages,
  'tags are listed in the order of their characters, in whatever order they were set': noPages,
  'tags after one that is not there are those that would follow it': noPages,
  'listing references: GET request to nonexistent blob should result in empty 200 response': noReferrers,
  'OCI-Subject is set when a manifest with a subject is pushed, before and after its subject': noReferrers,
  'listing references: GET request to existing blob should yield 200': noReferrers,
  'listing references: GET request to existing blob with filter should yield 200': noReferrers,
  'listing references: GET request to missing manifest should yield 200': noReferrers,
  'OCI-Subject is set when an index with a subject is pushed, and the index is listed': noReferrers,
  'a referrer without an artifact type has that of its config': noReferrers,
  'a referrer that was deleted is not listed': noReferrers,
  'referrers of what is no digest: 400': noReferrers,
  'DELETE request to manifest tag leaves the manifest and its other tags': 'it deletes by digest only',
  'DELETE of a manifest that is not there: 404': 'a tag is refused with 400 whether it is there or not',
  'DELETE of a blob that a tagged manifest needs is refused, or breaks nothing':
    'it deletes the blob, and the image is broken',
}

runAgainstAll(
  { pull: pullCases, push: pushCases, 'content discovery': discoveryCases, 'content management': managementCases },
  url => new Target(url),
  { ours, dockerRegistry },
)
