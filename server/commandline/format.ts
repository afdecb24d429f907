import type { ProseFormat } from '../text/proseBlock.ts';

/** How documents can be written. */
export const formats = ['markdown', 'latex', 'plaintext'] as const satisfies readonly ProseFormat[];

const formatsByExtension: Readonly<Record<string, ProseFormat>> = {
  md: 'markdown',
  markdown: 'markdown',
  mdx: 'markdown',
  tex: 'latex',
  ltx: 'latex',
};

/** Returns the format that a file's name tells; plain text when it tells none. */
export function formatOf(file: string | undefined): ProseFormat {
  const extension = file?.split('.').at(-1)?.toLowerCase() ?? '';
  return formatsByExtension[extension] ?? 'plaintext';
}
