import { ClientTarget, clientWorkflows } from './distribution/client-cases.ts'
import { runAgainstAll } from './distribution/subjects.ts'

/* The same workflows through our client, which makes up for much of what a registry lacks. */

runAgainstAll(clientWorkflows, url => new ClientTarget(url), {
  ours: {},
  dockerRegistry: {
    'a blob is mounted from wherever it is': 'it looks only into the repository that is named',
    'the list of referrers needs no tag of its own': 'it has no referrers API: the list stands under the fallback tag',
    'a tag is deleted, and not what it stands for': 'it deletes by digest only',
  },
})
