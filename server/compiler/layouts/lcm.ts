import type { Layout } from './layout.ts';

/**
 * The names of the large concept models' trainer, which are the canonical ones. What is not of a
 * family we know keeps its name, and the network that is built refuses it.
 *
 * reference: lcm.models
 */
export const lcm: Layout = {
  name: 'LCM',
  marks: ['{*}'],
  prefixes: ['model.', ''],
  leftAside: [],
  renames: [['{*}', '{*}']],
};
