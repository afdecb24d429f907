/** What the suite in the extension host leaves in a file: the only sign of success that cannot lie. */
export interface SuiteResults {
  tests: { title: string; error?: string }[];
}

/** The environment variable with the path of that file. */
export const resultsVariable = 'THOUGHTLINE_RESULTS';
