import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { integrityProblems } from './integrity.ts'

/** Entry of a thread that reads a whole file, beside the one that writes it. */
const db = new DatabaseSync(workerData as string, { readOnly: true, timeout: 5000 })
try {
  parentPort!.postMessage(integrityProblems(db, { quick: true }))
} catch (error) {
  // A file that is damaged badly cannot even be read to the end.
  parentPort!.postMessage([(error as Error).message])
} finally {
  db.close()
}
