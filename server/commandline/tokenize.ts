import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { sonarLanguages } from '../text/languages.ts';
import { SentencePieceModel } from '../text/sentencePieceModel.ts';
import { SonarTokenizer } from '../text/sonarTokenizer.ts';
import { type Command, requiredOption, textOption, UsageError } from './command.ts';
import { readLines } from './input.ts';

/** `thoughtline tokenize`: lines → token ids and pieces. */
export const tokenizeCommand: Command = {
  name: 'tokenize',
  summary: 'turn lines into token ids and pieces',
  help: `Usage: thoughtline tokenize --tokenizer FILE [--sonar --lang L]

Reads lines from standard input and prints {"ids","pieces"} for each.

  --tokenizer FILE   a SentencePiece model
  --sonar            number the tokens as SONAR does, with the language token and </s>
  --lang L           the language token, such as eng_Latn (default); only with --sonar`,
  options: {
    tokenizer: { type: 'string' },
    sonar: { type: 'boolean' },
    lang: { type: 'string' },
  },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    const file = requiredOption(values, 'tokenizer');
    const lang = textOption(values, 'lang');
    const sonar = values['sonar'] === true;
    if (lang !== undefined && !sonar) throw new UsageError('--lang is only for --sonar');
    const bytes = await readFile(file);
    const encode = sonar
      ? sonarEncoder(SonarTokenizer.fromBytes(bytes, sonarLanguages, basename(file)), lang)
      : plainEncoder(SentencePieceModel.fromBytes(bytes, basename(file)));
    for await (const line of readLines(io.input)) {
      io.signal.throwIfAborted();
      await io.writeResult(encode(line));
    }
    return true;
  },
};

type Encode = (line: string) => { ids: number[]; pieces: string[] };

function plainEncoder(model: SentencePieceModel): Encode {
  return (line) => model.encodePieces(line);
}

function sonarEncoder(tokenizer: SonarTokenizer, lang = 'eng_Latn'): Encode {
  tokenizer.langId(lang);
  return (line) => tokenizer.encodePieces(line, lang);
}
