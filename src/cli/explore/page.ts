import { printReport } from './print.ts'
import type { Report } from './report.ts'

export function pageOf(report: Report, { title }: { readonly title: string; readonly now: number }): string {
  return `<!doctype html><title>${title}</title><pre>${printReport(report, { out: process.stdout }).replace(/[&<]/g, c => `&#${c.charCodeAt(0)};`)}</pre>`
}
