import { describe } from 'vitest'
import { blobStoreConformance } from '../../lib/testing/index.ts'
import { memoryObjectSubject } from '../helpers/memory-object-store.ts'
import { testConformance } from '../helpers/test-conformance.ts'

describe('a store in a bucket', () => testConformance(blobStoreConformance(memoryObjectSubject())))
