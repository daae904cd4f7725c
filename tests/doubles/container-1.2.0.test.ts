import { containerConformance } from '../support/container-conformance.ts'

containerConformance('1.2.0')
