import type { SuggestionFacts } from '../../protocol/completion.ts';
import type { Candidate } from '../features/ranking.ts';
import type { Prepared } from './suggester.ts';

/**
 * Says why suggestions were made, and how.
 *
 * @param until  when they were wanted
 */
export function factsOf(
  { found, answer }: Prepared,
  candidates: readonly Candidate[],
  until: number,
): SuggestionFacts {
  return {
    model: found.model.name,
    conceptModel: found.sampling.lcm,
    steps: answer.effort.steps,
    lang: found.writing.lang,
    latencyMs: (answer.firstAt ?? until) - answer.startedAt,
    wasPrepared: answer.firstAt !== null && answer.firstAt <= until,
    candidates: candidateFacts(candidates),
  };
}

export function candidateFacts(candidates: readonly Candidate[]): SuggestionFacts['candidates'] {
  return candidates.map(({ text, origin, agreement, confidence }) => {
    return { text, origin, agreement, confidence };
  });
}
