using System.Text.Json;
using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Steps;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>Normalizers, pre-tokenizers, post-processors and decoders of tokenizer.json; unknown ones are refused by name.</summary>
internal static class ComponentReader
{
    private const int StepsMax = 64;

    internal static void Normalizers(JsonElement e, List<Normalizer> to)
    {
        if (e.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return;
        var type = JsonFields.String(e, "type");
        switch (type)
        {
            case "Sequence":
                foreach (var item in JsonFields.Array(e, "normalizers")) Normalizers(item, to);
                break;
            case "NFC": to.Add(new UnicodeNormalizer(true, false)); break;
            case "NFD": to.Add(new UnicodeNormalizer(false, false)); break;
            case "NFKC": to.Add(new UnicodeNormalizer(true, true)); break;
            case "NFKD": to.Add(new UnicodeNormalizer(false, true)); break;
            case "Replace": to.Add(new ReplaceNormalizer(JsonFields.Pattern(e), JsonFields.Utf8(e, "content"))); break;
            case "Prepend": to.Add(new PrependNormalizer(JsonFields.Utf8(e, "prepend"))); break;
            case "Lowercase": to.Add(new LowercaseNormalizer()); break;
            case "Strip": to.Add(new StripNormalizer(JsonFields.Bool(e, "strip_left", true), JsonFields.Bool(e, "strip_right", true))); break;
            default: throw RefusedException.Unsupported($"the normalizer '{type}'");
        }

        if (to.Count > StepsMax) throw RefusedException.Unsupported($"more than {StepsMax} normalizers");
    }

    internal static void PreTokenizers(JsonElement e, List<PreTokenizer> to)
    {
        if (e.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return;
        var type = JsonFields.String(e, "type");
        switch (type)
        {
            case "Sequence":
                foreach (var item in JsonFields.Array(e, "pretokenizers")) PreTokenizers(item, to);
                break;
            case "Split":
                to.Add(new SplitStep(JsonFields.Pattern(e), Behavior(e), JsonFields.Bool(e, "invert", false)));
                break;
            case "ByteLevel":
                to.Add(new ByteLevelStep(JsonFields.Bool(e, "add_prefix_space", true), JsonFields.Bool(e, "use_regex", true)));
                break;
            case "Digits": to.Add(Digits(JsonFields.Bool(e, "individual_digits", false))); break;
            case "Punctuation":
                var behavior = JsonFields.IsMissing(e, "behavior") ? SplitBehavior.Isolated : Behavior(e);
                to.Add(new SplitStep(Pattern.OfClass(new CharClass(CodePointSet.FromPairs(CharacterSets.Punctuation))), behavior, false));
                break;
            case "Whitespace":
                const string word = @"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}";
                to.Add(new SplitStep(Regex($@"[{word}]+|[^{word}\s]+"), SplitBehavior.Removed, true));
                break;
            case "WhitespaceSplit":
                to.Add(new SplitStep(Pattern.OfClass(new CharClass(UnicodeProperties.WhiteSpace())), SplitBehavior.Removed, false));
                break;
            case "Metaspace": to.Add(Metaspace(e)); break;
            default: throw RefusedException.Unsupported($"the pre-tokenizer '{type}'");
        }

        if (to.Count > StepsMax) throw RefusedException.Unsupported($"more than {StepsMax} pre-tokenizers");
    }

    /// <summary>Splits digits off: numeric characters of Unicode 17, one by one or in runs.</summary>
    internal static SplitStep Digits(bool individual) => new(
        Pattern.OfClass(new CharClass(CodePointSet.FromPairs(CharacterSets.Numeric17))), individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous, false);

    /// <summary>Finishes a list of steps: a ByteLevel that is not the last turns its bytes into characters for those after it.</summary>
    internal static PreTokenizer[] Finish(List<PreTokenizer> steps, out bool isByteLevel, out bool unmaps)
    {
        var at = steps.FindIndex(s => s is ByteLevelStep);
        isByteLevel = at >= 0;
        unmaps = isByteLevel && at < steps.Count - 1;
        if (!unmaps) return [.. steps];
        if (steps.Skip(at + 1).Any(s => s is ByteLevelStep or MetaspaceStep)) throw RefusedException.Unsupported("a ByteLevel or Metaspace pre-tokenizer after ByteLevel");
        steps.Insert(at + 1, new ByteMapStep());
        return [.. steps];
    }

    internal static DecoderSteps Decoder(JsonElement e)
    {
        var steps = new DecoderSteps();
        if (e.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) steps.JoinsWithSpace = true;
        else AddDecoder(e, steps);
        return steps;
    }

    private static void AddDecoder(JsonElement e, DecoderSteps to)
    {
        var type = JsonFields.String(e, "type");
        var fits = true;
        switch (type)
        {
            case "Sequence":
                foreach (var item in JsonFields.Array(e, "decoders")) AddDecoder(item, to);
                break;
            case "ByteLevel": fits = to.TryAddByteLevel(); break;
            case "ByteFallback": fits = to.TryAddByteFallback(); break;
            case "Fuse": to.Fuse(); break;
            case "Replace": fits = to.TryAddReplace(JsonFields.Pattern(e), JsonFields.Utf8(e, "content")); break;
            case "Strip": fits = to.TryAddStrip(JsonFields.Utf8(e, "content"), JsonFields.Int(e, "start", 1024), JsonFields.Int(e, "stop", 1024)); break;
            case "Metaspace": fits = to.TryAddMetaspace(Replacement(e), Scheme(e) != PrependScheme.Never); break;
            default: throw RefusedException.Unsupported($"the decoder '{type}'");
        }

        if (!fits) throw RefusedException.Unsupported($"the decoder '{type}' after Fuse or ByteLevel");
    }

    /// <summary>The ids that a post-processor puts before and after a text.</summary>
    internal static void PostProcessor(JsonElement e, List<int> before, List<int> after)
    {
        if (e.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return;
        var type = JsonFields.String(e, "type");
        switch (type)
        {
            case "ByteLevel": break;
            case "Sequence":
                foreach (var item in JsonFields.Array(e, "processors")) PostProcessor(item, before, after);
                break;
            case "TemplateProcessing": Template(e, before, after); break;
            default: throw RefusedException.Unsupported($"the post-processor '{type}'");
        }
    }

    private static void Template(JsonElement e, List<int> before, List<int> after)
    {
        var (left, right, seen) = (new List<int>(), new List<int>(), 0);
        foreach (var item in JsonFields.Array(e, "single"))
        {
            if (!JsonFields.IsMissing(item, "Sequence"))
            {
                seen++;
                continue;
            }

            if (JsonFields.IsMissing(item, "SpecialToken") || JsonFields.IsMissing(e, "special_tokens")) throw RefusedException.Unsupported("a template with other than sequences and special tokens");
            var name = JsonFields.String(item.GetProperty("SpecialToken"), "id");
            if (JsonFields.IsMissing(e.GetProperty("special_tokens"), name)) throw new RefusedException("The tokenizer's template names a special token that it does not define.");
            foreach (var id in JsonFields.Array(e.GetProperty("special_tokens").GetProperty(name), "ids"))
            {
                if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out var value) || value < 0 || value >= TokenizerParts.VocabMax)
                    throw new RefusedException("The tokenizer's template has an id that is not a token.");
                (seen == 0 ? left : right).Add(value);
            }
        }

        if (seen != 1) throw RefusedException.Unsupported("a template without exactly one sequence");
        before.InsertRange(0, left);
        after.AddRange(right);
    }

    private static Pattern Regex(string expression) =>
        RegexProgram.TryCompile(expression, out var program, out var error) ? Pattern.OfRegex(program) : throw new RefusedException(error);

    private static SplitBehavior Behavior(JsonElement e)
    {
        var name = JsonFields.String(e, "behavior");
        return Enum.TryParse<SplitBehavior>(name, out var behavior) && Enum.IsDefined(behavior) && !char.IsAsciiDigit(name[0])
            ? behavior
            : throw RefusedException.Unsupported($"the behavior '{name}'");
    }

    private static MetaspaceStep Metaspace(JsonElement e) => new(Replacement(e), Scheme(e), JsonFields.Bool(e, "split", true));

    private static byte[] Replacement(JsonElement e)
    {
        var replacement = JsonFields.Utf8(e, "replacement");
        return replacement.Length > 0 && Utf8Text.Length(replacement[0]) == replacement.Length
            ? replacement
            : throw new RefusedException("The tokenizer's Metaspace replacement is not one character.");
    }

    private static PrependScheme Scheme(JsonElement e)
    {
        if (JsonFields.IsMissing(e, "prepend_scheme")) return JsonFields.Bool(e, "add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never;
        var name = JsonFields.String(e, "prepend_scheme");
        return name switch
        {
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            _ => throw RefusedException.Unsupported($"the prepend scheme '{name}'"),
        };
    }
}
