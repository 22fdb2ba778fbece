// Before every test file: property tests draw from one seed, so that a run can be repeated, and use a length that they name as
// the most to its full. TARSK8S_SEED chooses another seed.
import { configureGlobal } from 'fast-check'

configureGlobal({ seed: Number(process.env['TARSK8S_SEED'] ?? 20261123), defaultSizeToMaxWhenMaxSpecified: true })
