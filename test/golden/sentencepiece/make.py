"""Makes the models and the golden values in this folder; README.md gives the commands."""

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

import sentencepiece as spm

HERE = os.path.dirname(os.path.abspath(__file__))

CUSTOM_RULES = """\
61 62 63\t78
61 62\t79 20 7A
E9\t65
2E 2E 2E\t2026
7F\t
3C3\t3C2 20
41 300 301\t
"""

SYMBOLS = ["<sep>", "<sep>>", "<mask>", "\u4e2d\u6587", "\u2581foo bar", "a b", " ", "\U0001f680"]

# Every kind of model that the reader distinguishes. All sentences are read, one thread, fixed seed.
MODELS = {
    "bpe": dict(model_type="bpe", vocab_size=2000, character_coverage=0.995),
    "bpeBytes": dict(
        model_type="bpe", vocab_size=1400, character_coverage=0.98, byte_fallback=True,
        normalization_rule_name="nmt_nfkc_cf",
    ),
    "bpeSymbols": dict(
        model_type="bpe", vocab_size=1200, character_coverage=0.98,
        user_defined_symbols=SYMBOLS, control_symbols=["<ctl>"],
        add_dummy_prefix=False,
    ),
    "bpeSuffix": dict(
        model_type="bpe", vocab_size=1200, character_coverage=0.98,
        treat_whitespace_as_suffix=True, unk_surface="<?>",
    ),
    "bpeCrossing": dict(
        model_type="bpe", vocab_size=1200, character_coverage=0.98, split_by_whitespace=False,
        split_by_unicode_script=False, allow_whitespace_only_pieces=True,
        remove_extra_whitespaces=False, normalization_rule_name="identity",
    ),
    "bpeSpaces": dict(
        model_type="bpe", vocab_size=1200, character_coverage=0.98,
        allow_whitespace_only_pieces=True, remove_extra_whitespaces=False,
        normalization_rule_name="nmt_nfkc", split_digits=True, pad_id=3,
    ),
    "unigram": dict(model_type="unigram", vocab_size=2000, character_coverage=0.995),
    "unigramBytes": dict(
        model_type="unigram", vocab_size=1400, character_coverage=0.98, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False,
        user_defined_symbols=SYMBOLS,
    ),
    "unigramCustom": dict(
        model_type="unigram", vocab_size=1000, character_coverage=0.98,
        normalization_rule_tsv="custom.tsv", treat_whitespace_as_suffix=True,
        unk_id=5, bos_id=-1, eos_id=0, control_symbols=["<ctl>"],
    ),
    "unigramCaseFolded": dict(
        model_type="unigram", vocab_size=1000, character_coverage=0.98,
        normalization_rule_name="nmt_nfkc_cf", add_dummy_prefix=False,
        split_by_whitespace=False,
    ),
}

# Models whose charsmap is one of the two large ones; it is kept once, beside the models.
CHARSMAPS = {
    "nmt_nfkc": ["bpe", "bpeSymbols", "bpeSuffix", "bpeSpaces", "bpeUnused", "unigram"],
    "nmt_nfkc_cf": ["bpeBytes", "unigramCaseFolded"],
}

EXOTIC = [
    "", " ", "   ", "\u2581", " \u2581 ", "\t\n\r", "a", " a", "a ", "  two  spaces  ",
    "\u2581\u2581typed\u2581blocks\u2581", "tab\tnew\nline\r\nend", "nul\x00inside",
    "controls \x01\x02\x07\x1b\x7f\x80\x9f", "\u00a0no-break\u202fspaces\u2007\u3000",
    "en\u2002em\u2003thin\u2009hair\u200azero\u200bwidth", "joined\u200dand\u200cnot",
    "\ufeffbyte order mark\ufeff", "soft\u00adhyphen", "\u202aleft\u202c \u202eright\u202c",
    "\ufffd replacement \ufffd", "non-characters \ufffe \uffff \U0001ffff",
    "e\u0301 vs \u00e9", "a\u0300\u0301\u0302\u0303", "\u0301 alone", "A\u030a \u212b \u00c5",
    "\u1112\u1161\u11ab\u1100\u1173\u11af vs \ud55c\uae00", "\u1112\u1161", "\u11ab\u1112",
    "\u304b\u3099 \u30cf\u309a \uff76\uff9e", "\ufb01\ufb02\ufb03 \u0133 \u01c4 \u1e9b\u0323",
    "\ufdfa \ufdfb", "\u2460\u2461 \u3392 \u33a5 \u2163", "\uff21\uff22\uff23\uff11\uff12\uff01",
    "\u0e33 \u0eb3 \u0f0c \u0f77", "\u1e9e \u00df SS \u0130 i\u0307", "\u03a3\u03c3\u03c2 \u1f88",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1eb\U0001f1f7",
    "\U0001d400\U0001d7d8 \U0002f800 \U000e0001 \U0010ffff", "\ue000 private \U000f0000",
    "\u4e2d\u6587 and <sep><sep>> <mask><sep", "\u2581foo bar foo bar", "x a b y  a  b ",
    "<s> </s> <unk> <ctl> <pad> <0x41> <0xFF>", "abcabab aba\u00e9...\x7f \u03c3 A\u0300\u0301",
    "unseen \u13a0\u13a1\u13a2 run \u16a0\u16a1", "\U00013000\U00013001 \U00012000",
    "0123456789" * 6, "ha" * 40, "\u2026" * 8, "a-b_c/d\\e|f", "\u0915\u094d\u0937\u093f",
    "\u0628\u0650\u0633\u0652\u0645\u0650", "\u200f\u05e9\u05dc\u05d5\u05dd\u200e", "\u0b95\u0bcd\u0bb7",
]


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(message):
    """The (number, wire type, raw bytes, payload) of every field of a protobuf message."""
    def read(at):
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value, at

    at = 0
    while at < len(message):
        start = at
        tag, at = read(at)
        if tag & 7 == 0:
            payload, at = read(at)
        else:
            length = {1: 8, 5: 4}.get(tag & 7)
            if length is None:
                length, at = read(at)
            payload = message[at:at + length]
            at += length
        yield tag >> 3, tag & 7, message[start:at], payload


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def split_charsmap(model):
    """Takes the charsmap out of a model: (model without it, charsmap)."""
    out, charsmap = b"", b""
    for number, _, raw, payload in fields(model):
        if number == 3:
            parts = list(fields(payload))
            charsmap = b"".join(p for n, _, _, p in parts if n == 2)
            raw = field(3, b"".join(r for n, _, r, _ in parts if n != 2))
        out += raw
    return out, charsmap


def join_charsmap(model, charsmap):
    """Puts it back; protobuf does not mind the order of fields."""
    out = b""
    for number, _, raw, payload in fields(model):
        out += field(3, payload + field(2, charsmap)) if number == 3 else raw
    return out


def with_unused(model):
    """Marks every third merged piece as UNUSED, as a vocabulary restriction does."""
    out, index = b"", 0
    for number, _, raw, payload in fields(model):
        if number == 1:
            piece = next(p for n, _, _, p in fields(payload) if n == 1).decode()
            if index > 3 and len(piece) > 1 and index % 3 == 0:
                raw = field(1, payload + varint(3 << 3) + varint(5))
            index += 1
        out += raw
    return out


def brotli(function, data):
    """Runs brotliCompressSync or brotliDecompressSync of Node; Python brings no Brotli."""
    script = f"process.stdout.write(zlib.{function}(fs.readFileSync(0)))"
    return subprocess.run(["node", "-e", script], input=data, capture_output=True, check=True).stdout


def charsmap_of(name):
    for rule, names in CHARSMAPS.items():
        if name in names:
            return rule
    return None


def train(corpus):
    texts = [line.strip()[:400] + "\n" for line in open(corpus, encoding="utf-8")]
    texts += open(f"{HERE}/lines.txt", encoding="utf-8").readlines() * 8
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        open("custom.tsv", "w").write(CUSTOM_RULES)
        open("corpus.txt", "w").writelines(texts)
        train_here()
        os.chdir(HERE)


def train_here():
    spm.set_random_generator_seed(1)
    models = {}
    for name, options in MODELS.items():
        spm.SentencePieceTrainer.train(
            input="corpus.txt", model_prefix=name, num_threads=1, minloglevel=2, **options)
        models[name] = open(f"{name}.model", "rb").read()
    models["bpeUnused"] = with_unused(models["bpe"])
    for name, model in models.items():
        rule = charsmap_of(name)
        if rule:
            model, charsmap = split_charsmap(model)
            packed = brotli("brotliCompressSync", charsmap)
            open(f"{HERE}/{rule}.charsmap.br", "wb").write(packed)
        open(f"{HERE}/{name}.model", "wb").write(model)


def load(name):
    model = open(f"{HERE}/{name}.model", "rb").read()
    rule = charsmap_of(name)
    if rule:
        packed = open(f"{HERE}/{rule}.charsmap.br", "rb").read()
        model = join_charsmap(model, brotli("brotliDecompressSync", packed))
    return spm.SentencePieceProcessor(model_proto=model)


def digest(value):
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def golden():
    lines = open(f"{HERE}/lines.txt", encoding="utf-8").read().splitlines()
    models = {}
    for name in [*MODELS, "bpeUnused"]:
        sp = load(name)
        rng = random.Random(1)
        decoded = []
        for _ in range(12):
            ids = [rng.randrange(len(sp) if rng.random() < 0.5 else 300) for _ in range(10)]
            decoded.append([ids, sp.decode(ids)])
        models[name] = {
            "ids": [sp.encode(text) for text in EXOTIC],
            "pieceDigests": digest_pieces(sp, EXOTIC),
            "lineDigests": [digest(sp.encode(line)) for line in lines],
            "decoded": decoded,
        }
    blocks = {}
    for name in ["bpe", "bpeBytes", "unigramBytes", "unigramCustom"]:
        sp = load(name)
        blocks[name] = "".join(
            digest("".join(
                sp.normalize(f"a{chr(point)}b") + "\n" for point in range(start, start + 256)
                if not 0xD800 <= point <= 0xDFFF))[:6]
            for start in range(0, 0x30000, 256))
    with open(f"{HERE}/golden.json", "w") as file:
        file.write('{\n"exotic": ' + json.dumps(EXOTIC) + ',\n"models": {\n')
        file.write(",\n".join(
            json.dumps(name) + ": " + json.dumps(value, separators=(",", ":"))
            for name, value in models.items()))
        file.write('\n},\n"normalizedBlocks": ' + json.dumps(blocks, indent=1) + "\n}\n")


def digest_pieces(sp, texts):
    return [digest("\n".join(sp.encode(text, out_type=str))) for text in texts]


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2])
    else:
        golden()
