import { registry } from '../component.ts'
import { memory } from './memory.ts'
import { sqlite } from './sqlite.ts'
import type { Store, StoreNeeds } from './store.ts'

export const stores = registry<Store, StoreNeeds>(memory, sqlite)
