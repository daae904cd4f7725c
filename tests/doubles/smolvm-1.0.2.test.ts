import { smolvmConformance } from '../support/smolvm-conformance.ts'

smolvmConformance('1.0.2')
