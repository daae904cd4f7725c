import { smolvmConformance } from '../support/smolvm-conformance.ts'

smolvmConformance('1.0.1')
smolvmConformance('1.0.2')
