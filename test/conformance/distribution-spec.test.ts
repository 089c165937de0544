import { discoveryCases } from './distribution/discovery-cases.ts'
import { managementCases } from './distribution/management-cases.ts'
import { pullCases } from './distribution/pull-cases.ts'
import { pushCases } from './distribution/push-cases.ts'
import { type Differences, runAgainstAll } from './distribution/subjects.ts'
import { Target } from './distribution/target.ts'

/* The cases of the conformance suites of opencontainers/distribution-spec (v1.1 and the later draft), reimplemented. */

const ours: Differences = {
  'DELETE of a blob leaves it in other repositories':
    'all repositories share the blobs of one store; a blob that no name needs is gone everywhere (server/README.md)',
}

const noReferrers = 'it has no referrers API; clients keep the list under the fallback tag'
const noPages = 'it pages only the catalog, and does not sort tags'
const noDigestCheck = 'it answers an invalid digest with 500'
const ranges = 'it does not check the order of chunks, only the digest at the end'

/** Differences of docker-registry 2.8.2 (Debian). */
const dockerRegistry: Differences = {
  'GET of a manifest by a malformed digest is refused': noDigestCheck,
  'PUT of a manifest by a malformed digest is refused': noDigestCheck,
  'a manifest with missing foreign layers can be pushed and pulled':
    'it answers 500 unless its configuration allows the URLs of foreign layers',
  'a manifest is pushed and pulled by a sha512 digest': 'it keeps manifests under sha256 only',
  'Blob Upload Monolithic: POST with the blob stores it (201)':
    'it starts an upload, and the client must send the blob again',
  'Blob Upload Chunked: Out-of-order blob upload should return 416': ranges,
  'Blob Upload Chunked: Retry previous blob chunk should return 416': ranges,
  'a last chunk out of order is refused with 416, and the upload can be resumed': ranges,
  'Blob Upload Chunked: Get on stale blob upload should return 204 with a range and location':
    'its upload addresses contain the state; an old address is unknown (404)',
  'Cross-mounting without from, and automatic content discovery enabled should return a 201':
    'it mounts only from a named repository',
  'a manifest over 4 MiB is refused with 413': 'it refuses with 400',
  'one request sets several tags': 'it does not know the parameter of the draft',
  'GET number of tags should be limitable by `n` query parameter': noPages,
  'GET start of tag is set by `last` query parameter': noPages,
  'Link leads through all pages': noPages,
  'tags are listed in lexical order, whatever order they were set in': noPages,
  'the page after a missing tag starts at the next tag in order': noPages,
  'listing references: GET request to nonexistent blob should result in empty 200 response': noReferrers,
  'a push of a manifest answers with OCI-Subject, before and after its subject exists': noReferrers,
  'listing references: GET request to existing blob should yield 200': noReferrers,
  'listing references: GET request to existing blob with filter should yield 200': noReferrers,
  'listing references: GET request to missing manifest should yield 200': noReferrers,
  'a push of an index with a subject answers with OCI-Subject, and the index is listed': noReferrers,
  'a referrer without an artifact type has the media type of its config': noReferrers,
  'a deleted referrer is not listed': noReferrers,
  'the referrers of an invalid digest are refused with 400': noReferrers,
  'DELETE request to manifest tag leaves the manifest and its other tags': 'it deletes by digest only',
  'DELETE of a missing manifest is answered with 404': 'it refuses every tag with 400, existing or not',
  'DELETE of a blob that a tagged manifest needs breaks no image': 'it deletes the blob and breaks the image',
}

runAgainstAll(
  { pull: pullCases, push: pushCases, 'content discovery': discoveryCases, 'content management': managementCases },
  url => new Target(url),
  { ours, dockerRegistry },
)
