import { readModel } from '../inference/modelFolder.ts';
import { autonymOf, languageOf } from '../text/languageNames.ts';
import { sonarLanguages } from '../text/languages.ts';
import { type Command, textOption } from './command.ts';
import { prepareModel } from './model.ts';

/** `thoughtline languages`: what languages there are, and which a model knows. */
export const languagesCommand: Command = {
  name: 'languages',
  summary: 'list the languages, and which of them a model knows',
  help: `Usage: thoughtline languages [--model DIR]

Prints {"code","tag","name","autonym","isInModel"} for each language of the official SONAR models, in
the order of their token ids, and for those that only the model knows.

  --model DIR   a compiled model; the built-in one when left out`,
  options: { model: { type: 'string' } },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    const { folder } = await prepareModel(
      { folder: textOption(values, 'model'), device: 'auto' },
      io,
    );
    const { langs } = readModel(folder).tokenizer;
    for (const code of new Set([...sonarLanguages, ...langs])) {
      const language = languageOf(code);
      await io.writeResult({
        code,
        tag: language.tag,
        name: language.englishName,
        autonym: autonymOf(language) ?? null,
        isInModel: langs.includes(code),
      });
    }
    return true;
  },
};
