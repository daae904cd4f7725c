import { declareKills } from './kill-suite.ts'

await declareKills('host', 'others')
