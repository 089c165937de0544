import { ClientTarget, clientWorkflows } from './distribution/client-cases.ts'
import { runAgainstAll } from './distribution/subjects.ts'

/* The workflows of the specification through our client, which works around missing features of a registry. */

runAgainstAll(clientWorkflows, url => new ClientTarget(url), {
  ours: {},
  dockerRegistry: {
    'the client mounts a blob without naming a repository': 'it mounts only from a named repository',
    'the list of referrers needs no fallback tag': 'it has no referrers API; the list is kept under the fallback tag',
    'the client deletes a tag and keeps its manifest': 'it deletes by digest only',
  },
})
