using System.Runtime.CompilerServices;
using System.Diagnostics.CodeAnalysis;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Json;
using AiFabrik.Engine.Text.Tokenization.Steps;

namespace AiFabrik.Engine.Text;

/// <summary>
/// A model's tokenizer, on bytes: text in UTF-8 to ids and back. Immutable; any number of threads may use it, each with its
/// own <see cref="TokenizerScratch"/>. Encoding takes time and memory linear in the text and allocates nothing once the
/// scratch has grown. It gives what the library `tokenizers` (from tokenizer.json) or SentencePiece (from GGUF) gives.
/// </summary>
public sealed class Tokenizer
{
    private static readonly ControlSet NoControl = new([]);
    private readonly TokenizerParts _parts;
    private readonly AddedTokenFinder _rawFinder, _normalizedFinder;
    private readonly ControlSet _specials;
    private readonly bool[] _isSpecial, _isToken;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        VocabSize = parts.VocabSize;
        _isSpecial = new bool[VocabSize];
        _isToken = new bool[VocabSize];
        foreach (var token in parts.Added) _isSpecial[token.Id] |= token.IsSpecial;
        foreach (var id in parts.OtherSpecials) _isSpecial[id] = true;
        for (var id = 0; id < VocabSize; id++) _isToken[id] = parts.TryGetToken(id, out _);
        _specials = new ControlSet(parts.Added.Where(t => t.IsSpecial).Select(t => t.Id));
        Decoder = new DecoderPlan(parts);
        _rawFinder = new AddedTokenFinder(parts.Added.Where(t => !t.IsNormalized).OrderBy(t => !t.IsSpecial).Select(t => (t, t.Content)));
        _normalizedFinder = new AddedTokenFinder(parts.Added.Where(t => t.IsNormalized).OrderBy(t => !t.IsSpecial).Select(t => (t, NormalizedSpelling(t))));
        DecodedBytesMax = 3 * Math.Max(1, parts.Decoder.Replacement.Length) * (Decoder.LongestBytes + 6) + (parts.Decoder.StripStop * parts.Decoder.StripContent.Length);
    }

    /// <summary>One more than the highest id.</summary>
    public int VocabSize { get; }

    public int? BosId => _parts.BosId;

    public int? EosId => _parts.EosId;

    /// <summary>Spelling of the token that starts a text, empty if there is none.</summary>
    public ReadOnlySpan<byte> BosText => _parts.BosText;

    /// <summary>Spelling of the token that ends a text, empty if there is none.</summary>
    public ReadOnlySpan<byte> EosText => _parts.EosText;

    /// <summary>Whether the model's files say that a text starts with BOS.</summary>
    public bool AddsBos => _parts.AddsBos;

    /// <summary>Whether the model's files say that a text ends with EOS.</summary>
    public bool AddsEos => _parts.AddsEos;

    /// <summary>Whether the vocabulary means to have tokens for single bytes: byte-level ones, or byte fallback.</summary>
    public bool CoversBytes => _parts.Model.Kind == SymbolKind.Bytes || _parts.Model.FallbackIds.Length > 0;

    /// <summary>Whether there is a token for what no other covers; without one it is dropped.</summary>
    public bool HasUnknownToken => _parts.Model.UnknownId >= 0;

    internal DecoderPlan Decoder { get; }
    internal int DecodedBytesMax { get; }

    /// <summary>Reads tokenizer.json; tokenizer_config.json may be empty. On failure <paramref name="error"/> is one sentence that names what is wrong or not supported.</summary>
    public static bool TryLoadJson(ReadOnlySpan<byte> tokenizerJson, ReadOnlySpan<byte> tokenizerConfigJson, [NotNullWhen(true)] out Tokenizer? tokenizer, out string error)
    {
        tokenizer = TokenizerJson.TryRead(tokenizerJson, tokenizerConfigJson, out var parts, out error) ? new Tokenizer(parts) : null;
        return tokenizer is not null;
    }

    /// <summary>Reads the vocabulary in GGUF metadata. On failure <paramref name="error"/> is one sentence that names what is wrong or not supported.</summary>
    public static bool TryLoadGguf(GgufMetadata metadata, [NotNullWhen(true)] out Tokenizer? tokenizer, out string error)
    {
        tokenizer = Tokenization.Gguf.TokenizerGguf.TryRead(metadata, out var parts, out error) ? new Tokenizer(parts) : null;
        return tokenizer is not null;
    }

    /// <summary>Whether an id is one of the tokens that the model's files call special (control).</summary>
    public bool IsControl(int id) => (uint)id < (uint)VocabSize && _isSpecial[id];

    /// <summary>The bytes that a token stands for when it is decoded; empty for an id that is no token.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => (uint)id < (uint)VocabSize ? Decoder.Bytes(id, false) : default;

    /// <summary>Byte values, ascending, that no token covers, where <see cref="CoversBytes"/>: a text loses them.</summary>
    public byte[] UncoveredBytes()
    {
        var ids = _parts.Model.Kind == SymbolKind.Bytes ? _parts.Model.ByteSymbols : _parts.Model.FallbackIds;
        return [.. Enumerable.Range(0, ids.Length).Where(b => ids[b] < 0).Select(b => (byte)b)];
    }

    /// <summary>
    /// What counts as control with a chat template: the special tokens, and every other added token that the template's
    /// source spells, white space aside. An empty source: the special tokens only.
    /// </summary>
    public ControlSet ControlFor(ReadOnlySpan<byte> templateSource)
    {
        var ids = new List<int>();
        foreach (var token in _parts.Added)
        {
            var isBlank = token.Content.AsSpan().TrimStart(" \t\r\n\v\f"u8).IsEmpty;
            if (token.IsSpecial || (!isBlank && templateSource.IndexOf(token.Content) >= 0)) ids.Add(token.Id);
        }

        return new ControlSet(ids);
    }

    /// <summary>Encodes text as plain: no control token is recognised. Ill-formed parts become U+FFFD first.</summary>
    /// <param name="ids">False, with the number needed in <paramref name="count"/>, if it is too small. The text's length plus 16 is enough unless a normalizer lengthens the text.</param>
    public bool TryEncode(ReadOnlySpan<byte> text, TokenizerScratch scratch, Span<int> ids, out int count) =>
        TryEncode(text, default, _specials, false, false, scratch, ids, out count);

    /// <summary>Encodes text of which parts are trusted: tokens of <paramref name="control"/> are recognised there only. Where parts meet, the text is tokenized as one.</summary>
    /// <inheritdoc cref="TryEncode(ReadOnlySpan{byte}, TokenizerScratch, Span{int}, out int)"/>
    public bool TryEncode(ReadOnlySpan<byte> text, ReadOnlySpan<TextRun> runs, ControlSet control, TokenizerScratch scratch, Span<int> ids, out int count) =>
        TryEncode(text, runs, control, false, false, scratch, ids, out count);

    /// <summary>Encodes plain text and adds what the model's files add around a text (BOS, EOS).</summary>
    /// <inheritdoc cref="TryEncode(ReadOnlySpan{byte}, TokenizerScratch, Span{int}, out int)"/>
    public bool TryEncodeWithSpecials(ReadOnlySpan<byte> text, TokenizerScratch scratch, Span<int> ids, out int count) =>
        TryEncode(text, default, _specials, false, true, scratch, ids, out count);

    /// <summary>Encodes text that is trusted as a whole: its control tokens are recognised.</summary>
    /// <inheritdoc cref="TryEncode(ReadOnlySpan{byte}, TokenizerScratch, Span{int}, out int)"/>
    public bool TryEncodeTrusted(ReadOnlySpan<byte> text, bool addSpecials, TokenizerScratch scratch, Span<int> ids, out int count) =>
        TryEncode(text, default, NoControl, true, addSpecials, scratch, ids, out count);

    /// <summary>A decoder for one text at a time.</summary>
    /// <param name="skipSpecial">Leaves out the special tokens.</param>
    /// <param name="rawBytes">Emits bytes as they are instead of well-formed UTF-8.</param>
    public IncrementalDecoder CreateDecoder(bool skipSpecial = false, bool rawBytes = false) => new(this, skipSpecial, rawBytes);

    internal bool IsToken(int id) => _isToken[id];

    private bool TryEncode(
        ReadOnlySpan<byte> text, ReadOnlySpan<TextRun> runs, ControlSet control, bool isTrusted, bool addSpecials, TokenizerScratch scratch, Span<int> ids, out int count)
    {
        TextIntake.Read(text, runs, scratch.Text, ref isTrusted);
        var sink = new IdSink(ids);
        if (addSpecials) sink.Add(_parts.Before);
        var pipeline = new Pipeline(_parts.PreTokenizers, _parts.Model, scratch, sink, _parts.Unmaps);
        EncodeStretches(ref pipeline, control, isTrusted);
        if (addSpecials) pipeline.Sink.Add(_parts.After);
        count = pipeline.Sink.Count;
        return pipeline.Sink.Fits;
    }

    /// <summary>First the added tokens that are looked for in the text as it is; then what lies between them.</summary>
    private void EncodeStretches(ref Pipeline pipeline, ControlSet control, bool isTrusted)
    {
        var text = pipeline.Scratch.Text;
        var (search, done) = (0, 0);
        while (!_rawFinder.IsEmpty && _rawFinder.Next(text, control, isTrusted, ref search, done, out var start, out var end) is { } token)
        {
            if (start > done) EncodeStretch(ref pipeline, control, isTrusted, done, start - done);
            pipeline.Sink.Add(token.Id);
            done = Math.Max(done, end);
        }

        if (done < text.Length) EncodeStretch(ref pipeline, control, isTrusted, done, text.Length - done);
    }

    /// <summary>Normalizes a stretch, takes the added tokens that are looked for after that, and encodes the rest.</summary>
    private void EncodeStretch(ref Pipeline pipeline, ControlSet control, bool isTrusted, int start, int length)
    {
        var scratch = pipeline.Scratch;
        var text = scratch.Text;
        var at = start;
        if (_parts.Normalizers.Length > 0)
        {
            text = Normalize(scratch, start, length);
            (at, length) = (0, text.Length);
        }

        if (_normalizedFinder.IsEmpty)
        {
            pipeline.Pass(0, new Piece(text.Data, at, length, start == 0));
            return;
        }

        if (text == scratch.Text)
        {
            // Without a normalizer the stretch still is a text of its own to the second search.
            scratch.Normalized.Reset(text.TracksTrust);
            scratch.Normalized.Append(text, at, length);
            text = scratch.Normalized;
        }

        var (search, done) = (0, 0);
        while (_normalizedFinder.Next(text, control, isTrusted, ref search, done, out var from, out var to) is { } token)
        {
            if (from > done) pipeline.Pass(0, new Piece(text.Data, done, from - done, start == 0 && done == 0));
            pipeline.Sink.Add(token.Id);
            done = Math.Max(done, to);
        }

        if (done < text.Length) pipeline.Pass(0, new Piece(text.Data, done, text.Length - done, start == 0 && done == 0));
    }

    private TextBuffer Normalize(TokenizerScratch scratch, int start, int length)
    {
        var (from, to) = (scratch.Normalized, scratch.Other);
        from.Reset(scratch.Text.TracksTrust);
        from.Append(scratch.Text, start, length);
        foreach (var normalizer in _parts.Normalizers)
        {
            to.Reset(from.TracksTrust);
            normalizer.Apply(from, to, scratch);
            (from, to) = (to, from);
        }

        return from;
    }

    private byte[] NormalizedSpelling(AddedToken token)
    {
        if (_parts.SpellingsAreNormalized || !System.Text.Unicode.Utf8.IsValid(token.Content)) return token.Content;
        var scratch = new TokenizerScratch();
        scratch.Text.Append(token.Content);
        return Normalize(scratch, 0, token.Content.Length).Span.ToArray();
    }
}
