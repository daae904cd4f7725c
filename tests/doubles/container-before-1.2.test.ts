import { containerConformance } from '../support/container-conformance.ts'

containerConformance('0.12.3')
containerConformance('1.0.0')
