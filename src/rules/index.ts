import { registry } from '../component.ts'
import { budget } from './budget.ts'
import type { Rule } from './rule.ts'
import { sustained } from './sustained.ts'
import { threshold } from './threshold.ts'

export const rules = registry<Rule>(budget, threshold, sustained)
