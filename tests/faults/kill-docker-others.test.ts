import { declareKills } from './kill-suite.ts'

await declareKills('docker', 'others')
