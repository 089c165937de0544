// Given to Node with --import by the test runner: lets worker threads run lib/*.ts where Node cannot do it by itself.
import { register } from 'node:module'

if (!process.features.typescript) register('./typescript-loader.mjs', import.meta.url)
