// The entry of every worker thread: it knows the jobs of src-main/workers and nothing else.
import { parentPort } from 'node:worker_threads'
import { serveJobs } from './workers/serve-jobs.ts'

if (parentPort) serveJobs(parentPort)
