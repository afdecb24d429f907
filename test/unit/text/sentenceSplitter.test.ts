import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProseFormat } from '../../../server/text/proseBlock.ts';
import { splitSentences } from '../../../server/text/sentenceSplitter.ts';

/** Sentences are written as one string with ` | ` between them. */
function checkSplit(format: ProseFormat, cases: Record<string, string>): void {
  for (const [input, expected] of Object.entries(cases)) {
    const found = splitSentences(input, format).map((sentence) => sentence.text);
    assert.deepEqual(found.join(' | '), expected, JSON.stringify(input));
  }
}

test('plain sentences end at terminal punctuation', () => {
  checkSplit('plaintext', {
    '': '',
    ' \n\t\n': '',
    'A.': 'A.',
    x: 'x',
    'One. Two. Three.': 'One. | Two. | Three.',
    'Really? Yes! Good.': 'Really? | Yes! | Good.',
    'What?! No way.': 'What?! | No way.',
    'No stop here': 'No stop here',
    'First line\nof a sentence. Second\none.': 'First line of a sentence. | Second one.',
    'One\r\ntwo. Three.\r\n\r\nFour.': 'One two. | Three. | Four.',
    'Para one\n\nPara two': 'Para one | Para two',
    '---': '',
    '*** \n\n Text.': 'Text.',
    'Many   spaces\there. Next.': 'Many spaces here. | Next.',
    '\ufeffText. More.': 'Text. | More.',
    'iPhone sales rose. iPads fell.': 'iPhone sales rose. | iPads fell.',
  });
});

test('abbreviations do not end a sentence', () => {
  checkSplit('plaintext', {
    'Dr. Smith met Mr. Jones. They talked.': 'Dr. Smith met Mr. Jones. | They talked.',
    'Use fruit, e.g. Apples, daily. Yes.': 'Use fruit, e.g. Apples, daily. | Yes.',
    'That is, i.e. The rule, holds.': 'That is, i.e. The rule, holds.',
    'See Fig. 3 and Eq. (4). Then go.': 'See Fig. 3 and Eq. (4). | Then go.',
    'Item No. 5 is lost. No. It is here.': 'Item No. 5 is lost. | No. | It is here.',
    'Lions vs. Tigers was played. We won.': 'Lions vs. Tigers was played. | We won.',
    'J. R. R. Tolkien wrote. He slept.': 'J. R. R. Tolkien wrote. | He slept.',
    'J.R.R. Tolkien wrote it.': 'J.R.R. Tolkien wrote it.',
    'The U.S. Army came. It left the U.S. The end.':
      'The U.S. Army came. | It left the U.S. | The end.',
    'Come at 5 p.m. The door is open.': 'Come at 5 p.m. | The door is open.',
    'At 9 a.m. Monday we met.': 'At 9 a.m. Monday we met.',
    'Apples, pears, etc. The rest is gone.': 'Apples, pears, etc. | The rest is gone.',
    'Acme Inc. Shares fell. Acme Inc. The firm rose.':
      'Acme Inc. Shares fell. | Acme Inc. | The firm rose.',
    'She has a Ph.D. She is proud.': 'She has a Ph.D. | She is proud.',
    'It was Oct. 5 then. Yes.': 'It was Oct. 5 then. | Yes.',
    'Smith et al. 2020 say so. We agree.': 'Smith et al. 2020 say so. | We agree.',
    'You and I. Then the rest.': 'You and I. | Then the rest.',
    'Choose plan B. The first failed.': 'Choose plan B. | The first failed.',
    'Martin Luther King Jr. Day is near. Go.': 'Martin Luther King Jr. Day is near. | Go.',
    'NASA. ESA. Both.': 'NASA. | ESA. | Both.',
  });
});

test('numbers, addresses and file names hold together', () => {
  checkSplit('plaintext', {
    'Pi is 3.14159. It is odd.': 'Pi is 3.14159. | It is odd.',
    'Use v1.2.3. It works.': 'Use v1.2.3. | It works.',
    'Open https://a.io/x?y=1&Z=2. Read it.': 'Open https://a.io/x?y=1&Z=2. | Read it.',
    'See www.example.com. Done.': 'See www.example.com. | Done.',
    'Edit README.md first. Then main.ts.': 'Edit README.md first. | Then main.ts.',
    'It cost $5.50. Cheap.': 'It cost $5.50. | Cheap.',
    'In 2019. The year.': 'In 2019. | The year.',
    'It was shown.[1] Then it was not.[2, 3] End.':
      'It was shown.[1] | Then it was not.[2, 3] | End.',
  });
});

test('quotations and brackets close with their sentence', () => {
  checkSplit('plaintext', {
    '"Really?" he asked. "Yes." She left.': '"Really?" he asked. | "Yes." | She left.',
    '“Go!” she said. “Now.”': '“Go!” she said. | “Now.”',
    'He left (at last.) Then peace.': 'He left (at last.) | Then peace.',
    'Done. (See below.) Next.': 'Done. | (See below.) | Next.',
    '«Bonjour. Ça va?» Il part.': '«Bonjour. | Ça va?» | Il part.',
    '« Bonjour. » Il part.': '« Bonjour. » | Il part.',
    "'It works.' That was all.": "'It works.' | That was all.",
    'Yahoo! is a firm. Yes.': 'Yahoo! is a firm. | Yes.',
    'He said “yes”. Then “no”.': 'He said “yes”. | Then “no”.',
  });
});

test('an ellipsis ends a sentence only before a capital', () => {
  checkSplit('plaintext', {
    'Well... maybe not. Yes.': 'Well... maybe not. | Yes.',
    'Well… maybe not. Yes.': 'Well… maybe not. | Yes.',
    'He waited... Then he went.': 'He waited... | Then he went.',
    'He waited… Then he went.': 'He waited… | Then he went.',
  });
});

test('numbers and letters of a list are no sentences', () => {
  checkSplit('plaintext', {
    '1. First thing. Second thing.\n2. Next.': 'First thing. | Second thing. | Next.',
    '- One\n- Two': 'One | Two',
    'a) First. B) Second.': 'a) First. | B) Second.',
    '• Dot. Done.': 'Dot. | Done.',
    'iv. The fourth. Done.': 'iv. The fourth. | Done.',
  });
});

test('other languages keep their own rules', () => {
  checkSplit('plaintext', {
    '今日は晴れ。明日は雨！本当？はい。': '今日は晴れ。 | 明日は雨！ | 本当？ | はい。',
    '「行く。」と彼は言った。終わり。': '「行く。」と彼は言った。 | 終わり。',
    '他说：“你好。”然后走了。': '他说：“你好。” | 然后走了。',
    '你好。我很好（谢谢。）再见。': '你好。 | 我很好（谢谢。） | 再见。',
    '¿Qué pasa? ¡Nada! Bien.': '¿Qué pasa? | ¡Nada! | Bien.',
    'El Sr. García y la Sra. Díaz. Fin.': 'El Sr. García y la Sra. Díaz. | Fin.',
    'هل هذا صحيح؟ نعم. شكرا.': 'هل هذا صحيح؟ | نعم. | شكرا.',
    'यह एक वाक्य है। यह दूसरा है।': 'यह एक वाक्य है। | यह दूसरा है।',
    'Am 3. Oktober kam er. Dann ging er.': 'Am 3. Oktober kam er. | Dann ging er.',
    'Das gilt z. B. Hier. Ja.': 'Das gilt z. B. Hier. | Ja.',
    'Das gilt z.B. Hier. Ja.': 'Das gilt z.B. Hier. | Ja.',
    'M. Dupont arrive. Il rit.': 'M. Dupont arrive. | Il rit.',
    'А. С. Пушкин писал. Он жил.': 'А. С. Пушкин писал. | Он жил.',
    'Привет! Как дела? Хорошо.': 'Привет! | Как дела? | Хорошо.',
    'זה משפט. זה עוד משפט.': 'זה משפט. | זה עוד משפט.',
    'یہ جملہ ہے۔ یہ دوسرا ہے۔': 'یہ جملہ ہے۔ | یہ دوسرا ہے۔',
    '안녕하세요. 반갑습니다.': '안녕하세요. | 반갑습니다.',
  });
});

test('the markup of Markdown is not prose', () => {
  checkSplit('markdown', {
    '# Title\n\nText here.': 'Text here.',
    'Title\n=====\n\nText here.': 'Text here.',
    '---\na: b. C.\n---\nText.': 'Text.',
    '+++\na = 1\n+++\n\nText.': 'Text.',
    'A.\n```js\nlet x. Y\n```\nB.': 'A. | B.',
    'A.\n\n    code. More\n\nB.': 'A. | B.',
    'A.\n$$\nx = y. Z\n$$\nB.': 'A. | B.',
    'Here $x = 1. Y$ holds. Yes.': 'Here $x = 1. Y$ holds. | Yes.',
    'Run `npm ci. X` first. Then go.': 'Run npm ci. X first. | Then go.',
    '*One* **two.** ~~Three~~ [four](http://a.b "T. U.") five.': 'One two. | Three four five.',
    'See [the page][p]. End.\n\n[p]: http://x.y': 'See the page. | End.',
    'See [page]. End.\n\n[page]: http://x.y': 'See page. | End.',
    'A fact.[^1] Next.\n\n[^1]: A note. More.': 'A fact. | Next. | A note. | More.',
    '| a. B | c |\n|---|---|\n| d. E | f |\n\nText.': 'Text.',
    'Text ![Alt. Text](u.png) here. <!-- No. --> Yes.': 'Text here. | Yes.',
    '<div>\nNo. No.\n</div>\n\nYes.': 'Yes.',
    'A <b>bold</b> word. B.': 'A bold word. | B.',
    '> Quoted. Text\n> goes on.\n\nOut.': 'Quoted. | Text goes on. | Out.',
    '- One. Two.\n- Three\n\n  Four.\n\n1. Five.': 'One. | Two. | Three | Four. | Five.',
    '- [ ] Task one.\n- [x] Task two.': 'Task one. | Task two.',
    'R&amp;D is \\*good\\*. &copy; Us.': 'R&D is *good*. | © Us.',
    'Hard  \nbreak. Soft\\\nbreak.': 'Hard break. | Soft break.',
    '<https://a.b/c?D=e> is it. Yes.': 'https://a.b/c?D=e is it. | Yes.',
    'One.\n\n***\n\nTwo.': 'One. | Two.',
    '- item\n  ```\n  code. X\n  ```\n\nText.': 'item | Text.',
    '<script>\n\nno. No.\n\n</script>\nYes.': 'Yes.',
  });
});

test('the markup of LaTeX is not prose', () => {
  checkSplit('latex', {
    '\\documentclass{a}\n\\title{No. No.}\n\\begin{document}\nYes. Good.\n\\end{document}\nNo.':
      'Yes. | Good.',
    '\\section{Title. Sub.}\nText. More.': 'Text. | More.',
    'One % no. No.\ntwo. Three.': 'One two. | Three.',
    'An \\emph{apt} word \\cite[p.~3]{a.B}. Next.': 'An apt word. | Next.',
    'We have $x = 1. Y$ here. Yes.': 'We have $x = 1. Y$ here. | Yes.',
    'We have\n\\[ x. Y \\]\nhere.': 'We have | here.',
    '\\begin{equation}\nx. Y\n\\end{equation}\nText.': 'Text.',
    '\\begin{itemize}\n\\item One. Two.\n\\item[a] Three.\n\\end{itemize}': 'One. | Two. | Three.',
    '\\begin{tabular}{cc}\na. B & c\n\\end{tabular}\n\nText.': 'Text.',
    'A\\footnote{Note. More.} word. End.': 'A word. | End. | Note. | More.',
    "``Quoted.'' He---the man---left -- 1--2.": '“Quoted.” | He—the man—left – 1–2.',
    'Dr.~Smith paid 5\\% \\& left. Caf\\\'{e} na\\"ive.': 'Dr. Smith paid 5% & left. | Café naïve.',
    'Fig.~\\ref{f} shows it. \\label{x}Yes.': 'Fig. shows it. | Yes.',
    '\\href{http://a.b}{The page} is up. Good.': 'The page is up. | Good.',
    '\\begin{verbatim}\nno. No.\n\n\\end{verbatim}\nYes.': 'Yes.',
    'Use \\verb|a. B| now. Yes.': 'Use a. B now. | Yes.',
    'One\r\ntwo.\r\n\r\nThree.': 'One two. | Three.',
    '\\LaTeX{} is old\\ldots{} Yes. \\TeX\\ too.': 'LaTeX is old… | Yes. | TeX too.',
    '\\begin{quote}\nQuoted text. Here.\n\\end{quote}\nOut.': 'Quoted text. | Here. | Out.',
    'Line one \\\\[2pt] line two. End.': 'Line one line two. | End.',
  });
});
