using System.Runtime.CompilerServices;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Json;
using AiFabrik.Engine.Text.Tokenization.Steps;

namespace AiFabrik.Engine.Text;

/// <summary>What a file says about a tokenizer.</summary>
internal sealed class TokenizerParts
{
    /// <summary>Highest number of ids, and most bytes in one token's spelling.</summary>
    internal const int VocabMax = 1 << 22, TokenBytesMax = 1 << 16;

    /// <summary>Ids that a vocabulary may reach over: so many, and so many more a token. Tables are as long as the highest id, whatever the file's size.</summary>
    internal const int IdsMin = 1 << 16, IdsPerToken = 16;

    internal required BpeModel Model { get; init; }
    internal required int VocabSize { get; init; }

    internal required Spellings Spellings { get; init; }

    /// <summary>Spellings of added tokens, before those of the vocabulary.</summary>
    internal Dictionary<int, byte[]> OtherSpellings { get; init; } = [];
    internal List<AddedToken> Added { get; init; } = [];

    /// <summary>Special tokens that are not looked for in text.</summary>
    internal List<int> OtherSpecials { get; init; } = [];
    internal Normalizer[] Normalizers { get; init; } = [];
    internal PreTokenizer[] PreTokenizers { get; init; } = [];

    /// <summary>Whether pieces reach the model as characters that stand for bytes.</summary>
    internal bool Unmaps { get; init; }

    /// <summary>Added tokens that are looked for in normalized text are spelled as in it.</summary>
    internal bool SpellingsAreNormalized { get; init; }
    internal required DecoderSteps Decoder { get; init; }

    /// <summary>Ids around a text when special tokens are added.</summary>
    internal int[] Before { get; set; } = [];
    internal int[] After { get; set; } = [];
    internal int? BosId { get; set; }
    internal int? EosId { get; set; }
    internal byte[] BosText { get; set; } = [];
    internal byte[] EosText { get; set; } = [];
    internal bool AddsBos { get; set; }
    internal bool AddsEos { get; set; }

    /// <summary>The spelling of an id as the file has it; false if there is no such token.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal bool TryGetToken(int id, out ReadOnlySpan<byte> spelling)
    {
        if (OtherSpellings.Count > 0 && OtherSpellings.TryGetValue(id, out var added)) spelling = added;
        else if (Spellings.Has(id)) spelling = Spellings[id];
        else
        {
            spelling = default;
            return false;
        }

        return true;
    }
}
