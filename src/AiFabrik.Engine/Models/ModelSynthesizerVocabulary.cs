using System.Globalization;
using System.Text;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Engine.Models;

/// <summary>A small byte-level vocabulary for made-up models: 256 bytes, a few merges, control tokens, and unused tokens up to the wanted size.</summary>
internal static class ModelSynthesizerVocabulary
{
    private const int Normal = 1, Control = 3, Unused = 5;

    private static readonly string[] Controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    /// <summary>Pairs of the commonest English merges; Ġ is the space.</summary>
    private static readonly string[] Merges = ["Ġ t", "Ġ a", "i n", "h e", "r e", "o n", "Ġt he", "e r", "a t", "Ġ s", "o u", "e n"];

    public static void AddKeys(GgufWriter writer, int size)
    {
        var texts = new List<string>(size);
        texts.AddRange(Controls);
        texts.AddRange(Bytes());
        texts.AddRange(Merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)));
        var used = texts.Count;
        while (texts.Count < size) texts.Add(string.Create(CultureInfo.InvariantCulture, $"<|unused_{texts.Count}|>"));
        var types = new int[texts.Count];
        for (var i = 0; i < types.Length; i++) types[i] = i < Controls.Length ? Control : i < used ? Normal : Unused;
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", "gpt-2");
        writer.Add("tokenizer.ggml.tokens", texts.ConvertAll(Encoding.UTF8.GetBytes));
        writer.Add("tokenizer.ggml.token_type", types);
        writer.Add("tokenizer.ggml.merges", Array.ConvertAll(Merges, Encoding.UTF8.GetBytes));
        writer.Add("tokenizer.ggml.bos_token_id", 0u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
        writer.Add("tokenizer.ggml.add_bos_token", false);
    }

    /// <summary>GPT-2's characters for the 256 bytes: printable Latin-1 stands for itself, the others follow from U+0100 on.</summary>
    private static IEnumerable<string> Bytes()
    {
        var next = 0x100;
        for (var b = 0; b < 256; b++)
        {
            var printable = b is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            yield return ((char)(printable ? b : next++)).ToString();
        }
    }
}
