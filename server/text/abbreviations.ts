/**
 * Words that a full stop does not end a sentence after, in the languages whose writers are most
 * likely to meet them. Compared without case, except where the comment says otherwise.
 */

/** Never the last word of a sentence: titles, and what introduces something. */
export const neverFinal = wordSet(
  // English
  'dr mr mrs ms messrs prof gen sen rep gov capt cmdr lt col sgt maj rev hon st mt ft',
  'e.g i.e cf vs viz approx ca esp incl resp e.a a.k.a',
  // German
  'z.b d.h u.a hr fr dipl geb vgl bspw sog evtl ggf bzw inkl zzgl z.t s.o str',
  // French, Spanish, Portuguese, Italian
  'mm mme mmes mlle mlles p.ex c.-à-d env sra srta dra da d ud uds vd p.ej sig dott avv ing',
  // Dutch, Scandinavian, Polish, Russian, Turkish
  'dhr mevr bijv t.ex bl.a f.eks np tzn г-н г-жа им ул т.е напр см',
);

/** Not the last word where a number follows. */
export const beforeNumber = wordSet(
  'no nos nr núm num fig figs eq eqs eqn sec sect ch chap vol vols p pp par para art tab ref refs',
  'thm def ex app lem prop cor abb abs kap bd s jan feb mar apr jun jul aug sep sept oct nov dec',
  'рис табл гл стр № c ca op ed sig',
);

/** May be the last word: the word after it decides. */
export const maybeFinal = wordSet(
  'etc inc ltd co corp bros jr sr al u.s u.k u.n e.u u.s.a a.m p.m ph.d m.d b.a m.a d.c b.c a.d est',
  'dept assn univ gmbh usw ecc т.д т.п г гг ee.uu s.a',
);

/** Words that begin a sentence far more often than they stand capitalized inside one. */
export const starters = new Set(
  (
    'the a an he she it they we i you this that these those there here in on at as when while if ' +
    'after before but and or so however his her its their our my your what who why how for from ' +
    'with by to then now no not one some many most all each every both such since although though ' +
    'because until once yet still also perhaps maybe meanwhile moreover furthermore thus hence ' +
    'therefore instead finally later today yesterday tomorrow is are was were did do does can ' +
    'could would should will let ' +
    'der die das ein eine er sie es wir ich ihr und aber doch wenn als im am ' +
    'le la les un une il elle ils elles on nous vous je ce cette et mais ' +
    'el los las una ella ellos pero y en o os as uma ele ela mas он она они мы я это но и в на'
  ).split(' '),
);

/** Names of months after which an ordinal with a full stop goes on, as in “3. Oktober”. */
export const ordinalNouns = new Set(
  (
    'januar jänner februar märz april mai juni juli august september oktober november dezember ' +
    'jahrhundert jahrhunderts jahrhunderte weltkrieg weltkriegs mal klasse auflage kapitel stock ' +
    'januari februari mars maj augusti oktober desember kesäkuuta ledna února března dubna ' +
    'května června července srpna září října listopadu prosince'
  ).split(' '),
);

function wordSet(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.join(' ').split(' '));
}
