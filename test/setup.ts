// Before every test file: property tests draw from one seed, so that a run can be repeated. TARSK8S_SEED chooses another.
import { configureGlobal } from 'fast-check'

configureGlobal({ seed: Number(process.env['TARSK8S_SEED'] ?? 20261123) })
