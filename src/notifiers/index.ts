import { registry } from '../component.ts'
import { alertmanager } from './alertmanager.ts'
import { log } from './log.ts'
import type { Notifier, NotifierNeeds } from './notifier.ts'
import { webhook } from './webhook.ts'

export const notifiers = registry<Notifier, NotifierNeeds>(alertmanager, log, webhook)
