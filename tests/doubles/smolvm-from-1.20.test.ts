import { smolvmConformance } from '../support/smolvm-conformance.ts'

smolvmConformance('1.20.0')
smolvmConformance('1.23.0')
