import { smolvmConformance } from '../support/smolvm-conformance.ts'

smolvmConformance('1.8.0')
smolvmConformance('1.9.3')
