import { containerConformance } from '../support/container-conformance.ts'

containerConformance('1.2.0')
containerConformance('1.2.1')
containerConformance('1.2.2')
